package grpcadapter

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// from is an HTTP side that knows who asks.
type from struct{ outside }

func (from) Peer() driver.Peer {
	return driver.Peer{Remote: &net.TCPAddr{Port: 7}, Local: &net.TCPAddr{Port: 8}}
}

// TestServerContext checks what the server side finds in its context, and that it
// makes no difference whether the context answers by itself.
func TestServerContext(t *testing.T) {
	t.Parallel()
	if !answersAll || lifetimeKey == nil {
		t.Fatalf("grpc-go or package context keeps values otherwise than is known (lifetime %v, metadata %v and %v, peer %v, stream %v): calls in process take more allocations, see serverContext",
			lifetimeKey, incomingKey, outgoingKey, peerKey, streamKey)
	}
	type key struct{}
	call, stack := new(interceptor.Call), interceptor.MustNew()
	parent := ops.Begin(call, stack, context.WithValue(t.Context(), key{}, "parent"), from{})
	parent = metadata.AppendToOutgoingContext(parent, "x-gateway", "1")
	for name, c := range map[string]*serverContext{
		"continued":   {call: call, lifetime: lifetime{parent: parent}},
		"of its own":  {lifetime: lifetime{parent: withoutValues{parent}}},
		"not started": {lifetime: lifetime{parent: t.Context()}},
	} {
		c.stream = &serverTransport{method: "/a.B/C"}
		c.md = metadata.Pairs("x-in", "secret")
		for how, ctx := range map[string]context.Context{"by itself": c, "wrapped": c.wrapped()} {
			continued := c.call != nil
			if md, ok := metadata.FromIncomingContext(ctx); !ok || fmt.Sprint(md.Get("x-in")) != "[secret]" {
				t.Errorf("%s, %s: the incoming metadata is %v", name, how, md)
			}
			if md, _ := metadata.FromOutgoingContext(ctx); len(md) != 0 {
				t.Errorf("%s, %s: the handler would send on %v", name, how, md)
			}
			sent, _ := metadata.FromOutgoingContext(metadata.AppendToOutgoingContext(ctx, "x-out", "1"))
			if len(sent) != 1 || len(sent["x-out"]) != 1 {
				t.Errorf("%s, %s: a handler that sends x-out sends %v", name, how, sent)
			}
			if got := grpc.ServerTransportStreamFromContext(ctx); got != grpc.ServerTransportStream(c.stream) {
				t.Errorf("%s, %s: the transport stream is %v", name, how, got)
			}
			if got := linkedFrom(ctx); got != c.call {
				t.Errorf("%s, %s: the context continues %p, want %p", name, how, got, c.call)
			}
			want := "inprocess <nil>"
			if continued {
				want = ":7 :8"
			}
			if p, ok := peer.FromContext(ctx); !ok || fmt.Sprint(p.Addr, " ", p.LocalAddr) != want {
				t.Errorf("%s, %s: the peer is %v, want %s", name, how, p, want)
			}
			if got := ctx.Value(key{}); (got == "parent") != continued {
				t.Errorf("%s, %s: the value of the caller is %v", name, how, got)
			}
			if text := fmt.Sprintf("%v %+v", ctx, ctx); strings.Contains(text, "secret") {
				t.Errorf("%s, %s: printing the context shows metadata: %s", name, how, text)
			}
			if got := ctx.Value(nil); got != nil {
				t.Errorf("%s, %s: no key has the value %v", name, how, got)
			}
		}
	}
}
