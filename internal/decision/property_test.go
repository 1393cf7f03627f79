package decision_test

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/internal/decision"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/racing"
)

var (
	cases = flag.Int("cases", usual(), "how many decisions TestProperty compares")
	seed  = flag.Uint64("seed", 1, "the seed of the cases")
)

// usual is how many cases there are unless a flag says otherwise: fewer under the race
// detector, which looks for something else and is ten times slower.
func usual() int {
	if racing.Enabled {
		return 50_000
	}
	return 1_000_000
}

// A batch is one server with many methods and the calls of them.
const (
	worldsPerBatch = 48
	callsPerWorld  = 104
	casesPerBatch  = worldsPerBatch * callsPerWorld
)

// transport is one way to reach a method.
type transport struct {
	name  string
	via   via
	unary bool // it has no streams
	tls   bool // clients can have certificates
	phase bool // it has no adapter, so that methods can be called which no server starts with
	send  sender
}

// phases are the transports of a rig without adapters.
func (r *rig) phases() []transport {
	over := func(v via, kind driver.Kind) sender {
		return func(m *served, call *decision.Call) answer { return r.drive(m, v, kind, call) }
	}
	return []transport{
		{name: "phases of gRPC", via: viaRPC, tls: true, phase: true, send: over(viaRPC, driver.GRPC)},
		{name: "phases of REST", via: viaRPC, tls: true, phase: true, send: over(viaRPC, driver.HTTP)},
		{name: "phases of plain", via: viaRoute, tls: true, phase: true, send: over(viaRoute, driver.HTTP)},
	}
}

// carries tells whether the call can be sent over the transport.
func (t *transport) carries(s *served, call *decision.Call) bool {
	return (s.demands[t.via].valid || t.phase) && (t.tls || call.Sent.Certificate == decision.NoCertificate) && (call.Kind == "unary" || !t.unary)
}

// count is how many cases there were of each sort.
type count struct {
	code      map[decision.Code]int
	reason    map[decision.Reason]int
	transport map[string]int
}

func newCount() count {
	return count{map[decision.Code]int{}, map[decision.Reason]int{}, map[string]int{}}
}

func (c *count) add(other count) {
	for k, n := range other.code {
		c.code[k] += n
	}
	for k, n := range other.reason {
		c.reason[k] += n
	}
	for k, n := range other.transport {
		c.transport[k] += n
	}
}

func (c *count) all() int {
	all := 0
	for _, n := range c.code {
		all += n
	}
	return all
}

// runBatch runs up to limit cases and stops at the first disagreement. With a planted bug it does without adapters.
func runBatch(t testing.TB, seed, batch uint64, limit int, p plant, counted *count) *disagreement {
	g := decision.NewGenerator(seed, batch)
	server := g.Server()
	worlds := make([]decision.World, worldsPerBatch)
	for i := range worlds {
		worlds[i] = g.World(&server)
	}
	r := newRig(t, server, worlds, p)
	phases, direct := r.phases(), []transport(nil)
	if p.name == "" {
		s := newSite(t, r)
		defer s.grpc.Stop()
		direct = s.direct(r)
	}
	for i := range limit {
		s := r.served[i%len(r.served)]
		call := g.Call(s.World)
		over := &phases[g.Choose(len(phases))]
		if g.Choose(4) == 0 && direct != nil {
			if adapter := &direct[g.Choose(len(direct))]; adapter.carries(s, &call) {
				over = adapter
			}
		}
		if p.name != "" && !s.demands[over.via].valid {
			continue // a planted bug must change a decision, not what a server starts with
		}
		if d := r.compare(s, over, &call, counted); d != nil {
			return d
		}
	}
	return nil
}

// compare makes one call and holds the answer against the model.
func (r *rig) compare(s *served, over *transport, call *decision.Call, counted *count) *disagreement {
	want := r.decide(s, over.via, call)
	got := over.send(s, call)
	counted.code[want.Code]++
	counted.reason[want.Reason]++
	counted.transport[over.name]++
	if got.code == want.Code && got.reached == (want.Code == decision.OK) {
		return nil
	}
	return &disagreement{decision.Case{Server: r.server, Policy: s.Policy, Call: *call}, over.name, want, got}
}

// TestProperty compares the decisions of the real hooks with those of the model.
func TestProperty(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		*cases = min(*cases, enough)
	}
	total := newCount()
	var mu sync.Mutex
	var next atomic.Int64
	var wg sync.WaitGroup
	batches := int64((*cases + casesPerBatch - 1) / casesPerBatch)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			mine := newCount()
			for !t.Failed() {
				batch := next.Add(1) - 1
				if batch >= batches {
					break
				}
				if d := runBatch(t, *seed, uint64(batch), min(casesPerBatch, *cases-int(batch)*casesPerBatch), plant{}, &mine); d != nil {
					t.Errorf("seed %d, batch %d: %v", *seed, batch, d.shrunk(t, plant{}))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(mine)
		})
	}
	wg.Wait()
	report(t, total)
}

// report prints how many cases there were of each sort. A sort that is nearly missing would prove nothing.
func report(t *testing.T, c count) {
	t.Helper()
	var b strings.Builder
	line := func(sort string, n int, least float64) {
		percent := 100 * float64(n) / float64(c.all())
		fmt.Fprintf(&b, "\n%9d  %5.2f %%  %s", n, percent, sort)
		if percent < least && c.all() >= enough {
			t.Errorf("only %.2f %% of the cases are %q, want %.2f %%", percent, sort, least)
		}
	}
	for _, code := range []decision.Code{decision.OK, decision.PermissionDenied, decision.Exhausted, decision.Closed, decision.Unavailable, decision.Unauthenticated} {
		line(codes.Code(code).String(), c.code[code], 5)
	}
	for _, reason := range decision.Reasons {
		line(string(reason), c.reason[reason], 0.3)
	}
	for _, name := range slices.Sorted(maps.Keys(c.transport)) {
		line(name, c.transport[name], 2)
	}
	t.Logf("seed %d, %d cases:%s", *seed, c.all(), b.String())
}

// enough is from how many cases on their distribution counts.
const enough = 100_000
