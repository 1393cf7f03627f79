// Tail tells the latency of unary calls over loopback at a fixed rate, of grpc-go
// alone and of a server that does the work W5 by this library or another, in
// alternating pairs and in the format of Go's benchmarks.
//
// The load is open-loop: calls are due at fixed times, whether earlier ones have
// been answered or not. A call's latency counts from when it was sent, or from when
// it was due if all callers were busy then, so that a stalled server is not measured
// less often. The rate is a fraction of the capacity of the slower server, and the
// same for both.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	"github.com/crosscut-go/crosscut/benchmarks/rig"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

func main() {
	pairs := flag.Int("pairs", 10, "pairs of runs")
	duration := flag.Duration("duration", 3*time.Second, "how long each run takes")
	load := flag.Float64("load", 0.5, "the rate, as a fraction of the measured capacity")
	callers := flag.Int("callers", 32, "calls under way at most")
	library := flag.String("wrapped", "crosscut", "what does the work W5: a `contender` such as fused, to see what another adds")
	flag.Parse()
	if *pairs < 1 || *callers < 1 || *load <= 0 || *duration <= 0 {
		fmt.Fprintln(os.Stderr, "tail: -pairs, -callers, -load and -duration must be greater than 0")
		os.Exit(2)
	}
	if !slices.ContainsFunc(contender.AllGRPC(), func(c contender.GRPC) bool { return c.Name == *library }) {
		fmt.Fprintf(os.Stderr, "tail: -wrapped %s: there is no such contender\n", *library)
		os.Exit(2)
	}
	if err := run(*library, *pairs, *callers, *duration, *load); err != nil {
		fmt.Fprintln(os.Stderr, "tail:", err)
		os.Exit(1)
	}
}

// server is one of the two that are compared.
type server struct {
	name string
	call func() error
}

func run(library string, pairs, callers int, duration time.Duration, load float64) error {
	defer runtime.KeepAlive(rig.Ballast())
	p := contender.NewParts(contender.W5, io.Discard)
	defer p.Close()
	bare, stop, err := start("unwrapped", contender.BareServer(p))
	if err != nil {
		return err
	}
	defer stop()
	wrapped, stop, err := start("wrapped", contender.FindGRPC(library).Server(p))
	if err != nil {
		return err
	}
	defer stop()

	servers := []server{bare, wrapped}
	most := 0.0
	for _, s := range servers {
		capacity, err := s.capacity(callers, duration)
		if err != nil {
			return err
		}
		if most == 0 || capacity < most {
			most = capacity
		}
	}
	every := time.Duration(float64(time.Second) / (most * load))
	for pair := range pairs {
		for i := range servers {
			s := servers[(i+pair)%len(servers)] // neither is always the first
			if err := s.tail(&driver{call: s.call, callers: callers, until: duration, every: every}); err != nil {
				return err
			}
		}
	}
	return nil
}

// start serves, and returns the server with what ends it.
func start(name string, srv contender.Server) (server, func(), error) {
	conn, stop, err := rig.Loopback(srv)
	if err != nil {
		return server{}, nil, err
	}
	client := pb.NewConformanceServiceClient(conn)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+contender.Token, "x-request-id", "4d1f0a2b7c")
	return server{name, func() error {
		_, err := client.Unary(ctx, &pb.UnaryRequest{Text: "x"})
		return err
	}}, stop, nil
}

// capacity prints and returns how many calls the server can answer in a second.
func (s server) capacity(callers int, duration time.Duration) (float64, error) {
	d := driver{call: s.call, callers: callers, until: duration}
	latencies, err := d.run()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.name, err)
	}
	capacity := float64(len(latencies)) / duration.Seconds()
	fmt.Printf("BenchmarkTailCapacity/%s-%d %d %.0f calls/s\n", s.name, runtime.GOMAXPROCS(0), len(latencies), capacity)
	return capacity, nil
}

// tail prints the latencies of the server under the load of d.
func (s server) tail(d *driver) error {
	latencies, err := d.run()
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	fmt.Printf("BenchmarkTail/%s-%d %d %d p50-ns %d p99-ns %d p99.9-ns %.0f calls/s\n", s.name, runtime.GOMAXPROCS(0), len(latencies),
		quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 0.999), float64(len(latencies))/d.until.Seconds())
	return nil
}

// driver makes calls: one every so often, or, if every is 0, as many as it can.
type driver struct {
	call    func() error
	callers int
	until   time.Duration
	every   time.Duration
	next    atomic.Int64
}

// run returns the latencies, sorted.
func (d *driver) run() ([]time.Duration, error) {
	runtime.GC() // nobody pays for the garbage of the run before
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		all    []time.Duration
		failed error
	)
	start := time.Now()
	for range d.callers {
		wg.Go(func() {
			latencies, err := d.caller(start)
			mu.Lock()
			defer mu.Unlock()
			if all = append(all, latencies...); err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	if failed == nil && len(all) == 0 {
		failed = fmt.Errorf("no call was due within %v; give a longer -duration", d.until)
	}
	return all, failed
}

// caller makes one call after another, each when the next one is due.
func (d *driver) caller(start time.Time) (latencies []time.Duration, err error) {
	for {
		due := time.Duration(d.next.Add(1)-1) * d.every
		if due >= d.until || time.Since(start) >= 2*d.until || d.every == 0 && time.Since(start) >= d.until {
			return latencies, nil
		}
		from := time.Now()
		if wait := time.Until(start.Add(due)); wait > 0 {
			time.Sleep(wait)
			from = time.Now() // being woken late is no fault of the server
		} else if d.every > 0 {
			from = start.Add(due)
		}
		if err := d.call(); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(from))
	}
}

// quantile returns the value that a part q of the sorted latencies does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
