// Idle opens many streams and tells what an open one that does nothing costs in
// memory, in the format of Go's benchmarks: with grpc-go alone, behind an empty
// stack, and behind the work W5. Client and server share the process, so only the
// differences mean something.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	"github.com/crosscut-go/crosscut/benchmarks/rig"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

func main() {
	streams := flag.Int("streams", 10_000, "streams to open at once")
	flag.Parse()
	if err := run(*streams); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func run(streams int) error {
	p := contender.NewParts(contender.W5, io.Discard)
	defer p.Close()
	for _, c := range []struct {
		name string
		srv  func() contender.Server
	}{
		{"warm-up", func() contender.Server { return contender.BareServer(p) }},
		{"bare", func() contender.Server { return contender.BareServer(p) }},
		{"crosscut/empty", func() contender.Server { return grpcadapter.NewServer(interceptor.MustNew()) }},
		{"crosscut/W5", func() contender.Server { return contender.FindGRPC("crosscut").Server(p) }},
		{"go-grpc-middleware/W5", func() contender.Server { return contender.FindGRPC("go-grpc-middleware").Server(p) }},
	} {
		each, err := measure(c.srv(), streams)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if c.name != "warm-up" {
			fmt.Printf("BenchmarkIdleStream/%s-%d %d %.0f B/stream\n", c.name, runtime.GOMAXPROCS(0), streams, each)
		}
	}
	return nil
}

// measure opens streams that have answered one message each, and returns the bytes
// that each of them holds.
func measure(srv contender.Server, streams int) (float64, error) {
	conn, stop, err := rig.Loopback(srv)
	if err != nil {
		return 0, err
	}
	defer stop()
	client := pb.NewConformanceServiceClient(conn)
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+contender.Token))
	defer cancel()
	if _, err := open(ctx, client, 1); err != nil {
		return 0, err
	}
	before := held()
	opened, err := open(ctx, client, streams)
	if err != nil {
		return 0, err
	}
	after := held()
	runtime.KeepAlive(opened)
	return float64(after-before) / float64(streams), nil
}

// open opens n streams, a hundred at a time.
func open(ctx context.Context, client pb.ConformanceServiceClient, n int) ([]grpc.BidiStreamingClient[pb.BidiStreamRequest, pb.BidiStreamResponse], error) {
	opened := make([]grpc.BidiStreamingClient[pb.BidiStreamRequest, pb.BidiStreamResponse], n)
	failed := make([]error, min(n, 100))
	var wg sync.WaitGroup
	for worker := range failed {
		wg.Go(func() {
			for i := worker; i < n; i += len(failed) {
				if opened[i], failed[worker] = first(ctx, client); failed[worker] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return opened, nil
}

// first opens a stream and makes sure that its handler runs.
func first(ctx context.Context, client pb.ConformanceServiceClient) (grpc.BidiStreamingClient[pb.BidiStreamRequest, pb.BidiStreamResponse], error) {
	stream, err := client.BidiStream(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pb.BidiStreamRequest{Text: "x"}); err != nil {
		return nil, err
	}
	_, err = stream.Recv()
	return stream, err
}

// held is the memory that is in use: what the heap holds after garbage was
// collected, and the stacks.
func held() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
