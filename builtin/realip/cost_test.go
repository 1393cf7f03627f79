package realip_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// wire is an adapter's half of a call that has a peer and request headers.
type wire struct {
	driver.Transport
	peer    driver.Peer
	request http.Header
}

func (w *wire) Kind() driver.Kind                 { return driver.HTTP }
func (w *wire) Peer() driver.Peer                 { return w.peer }
func (w *wire) RequestHeader(key string) []string { return w.request[key] }

// others is a hook that keeps something in the call, as other hooks do: the first
// to do so pays for the room.
var others = interceptor.FromFuncs("others", interceptor.Funcs{
	BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		other.Set(call, true)
		return ctx, nil
	},
})

var other = interceptor.NewKey[bool]("other")

// TestAllocations counts what the hook adds to a call. The address in the call is
// the one allocation, however long the header is; without one, it is the error of
// package netip.
func TestAllocations(t *testing.T) {
	run := func(w *wire, hooks ...interceptor.Hook) float64 {
		stack := interceptor.MustNew(append(hooks, others)...)
		return testing.AllocsPerRun(1000, func() {
			c := new(interceptor.Call)
			ops.Begin(c, stack, t.Context(), w)
			ops.Request(c)
			ops.End(c, 0)
		})
	}
	for name, header := range map[string]http.Header{
		"no header":       nil,
		"three hops":      {"X-Forwarded-For": {"1.1.1.1, 198.51.100.5, 10.0.0.9"}},
		"a long header":   {"X-Forwarded-For": {strings.Repeat("1.1.1.1, ", 5000) + "198.51.100.5"}},
		"Forwarded":       {"Forwarded": {`for=198.51.100.5;host="a,b", for="10.0.0.9:80";proto=https`}},
		"a malformed one": {"X-Forwarded-For": {"<script>"}},
	} {
		for _, peer := range []string{proxy, stranger} {
			w := &wire{peer: driver.Peer{Remote: tcp(peer)}, request: header}
			opts := []realip.Option{realip.Trust("10.0.0.0/8")}
			if name == "Forwarded" {
				opts = append(opts, realip.Forwarded())
			}
			if n := run(w, realip.New(opts...)) - run(w); n != 1 {
				t.Errorf("%s from %s: %v allocations, want 1", name, peer, n)
			}
		}
	}
}
