package benchmarks_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	"github.com/crosscut-go/crosscut/benchmarks/rig"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// sent is what every client sends besides what its library sends by itself.
var sent = []string{"x-request-id", "4d1f0a2b7c", "authorization", "Bearer " + contender.Token}

// parts makes the parts of a benchmark, whose log goes nowhere.
func parts(tb testing.TB, work contender.Work) *contender.Parts {
	tb.Helper()
	p := contender.NewParts(work, io.Discard)
	tb.Cleanup(p.Close)
	return p
}

// noOp is a hook that does nothing.
type noOp struct{ interceptor.Base }

func noOpHooks(n int) []interceptor.Hook {
	hooks := make([]interceptor.Hook, n)
	for i := range hooks {
		hooks[i] = &noOp{}
	}
	return hooks
}

// noOps is a stack of n hooks that do nothing.
func noOps(n int) *interceptor.Stack {
	hooks := noOpHooks(n)
	for i, h := range hooks {
		hooks[i] = interceptor.As(fmt.Sprint("no-op ", i), h)
	}
	return interceptor.MustNew(hooks...)
}

// guardBy is what a stack does around registration.
func guardBy(stack *interceptor.Stack) func(grpc.ServiceRegistrar) grpc.ServiceRegistrar {
	return func(to grpc.ServiceRegistrar) grpc.ServiceRegistrar { return grpcadapter.Guard(stack, to) }
}

// oneLine is the least that an interceptor of gRPC can be.
func oneLine(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(ctx, req)
}

// runDirect measures a call of Unary without a socket.
func runDirect(b *testing.B, d *rig.Direct) {
	b.Helper()
	ctx := rig.Incoming(b.Context(), &rig.Transport{Name: pb.ConformanceService_Unary_FullMethodName}, sent...)
	decode := func(any) error { return nil }
	measure(b, func() error {
		_, err := d.Unary(ctx, decode)
		return err
	})
}

func BenchmarkRPCDirect(b *testing.B) {
	b.Run("bare", func(b *testing.B) { runDirect(b, rig.NewDirect(nil, nil)) })
	b.Run("one-line", func(b *testing.B) { runDirect(b, rig.NewDirect(nil, oneLine)) })
	b.Run("crosscut/empty", func(b *testing.B) { runDirect(b, rig.NewDirect(guardBy(interceptor.MustNew()), nil)) })
	for _, c := range contender.AllGRPC() {
		if c.Guard == nil && c.Unary == nil {
			continue // it cannot be called without its server
		}
		b.Run(c.Name+"/W5", func(b *testing.B) { runDirect(b, rig.DirectOf(c, parts(b, contender.W5))) })
	}
	b.Run("crosscut/W6", func(b *testing.B) { runDirect(b, rig.DirectOf(contender.FindGRPC("crosscut"), parts(b, contender.W6))) })
}

// runLoopback measures whole calls, client included, of a message of a size.
func runLoopback(b *testing.B, srv contender.Server, size int) {
	b.Helper()
	client := dial(b, srv)
	ctx := metadata.AppendToOutgoingContext(b.Context(), sent...)
	in := &pb.UnaryRequest{Text: strings.Repeat("x", size)}
	measure(b, func() error {
		_, err := client.Unary(ctx, in)
		return err
	})
}

func dial(tb testing.TB, srv contender.Server) pb.ConformanceServiceClient {
	tb.Helper()
	conn, stop, err := rig.Loopback(srv)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return pb.NewConformanceServiceClient(conn)
}

// crosscutServer is a server behind a stack.
func crosscutServer(stack *interceptor.Stack, opts ...grpc.ServerOption) contender.Server {
	return grpcadapter.NewServer(stack, opts...)
}

func BenchmarkRPCLoopback(b *testing.B) {
	const small = 16
	b.Run("bare", func(b *testing.B) { runLoopback(b, contender.BareServer(nil), small) })
	b.Run("stats", func(b *testing.B) { runLoopback(b, contender.StatsServer(nil), small) })
	b.Run("crosscut/empty", func(b *testing.B) { runLoopback(b, crosscutServer(interceptor.MustNew()), small) })
	for _, c := range contender.AllGRPC() {
		b.Run(c.Name+"/W5", func(b *testing.B) { runLoopback(b, c.Server(parts(b, contender.W5)), small) })
		if c.Telemetry {
			b.Run(c.Name+"/W6", func(b *testing.B) { runLoopback(b, c.Server(parts(b, contender.W6)), small) })
		}
	}
}

// BenchmarkLarge is a call that sends and answers 1 MiB.
func BenchmarkLarge(b *testing.B) {
	const size = 1 << 20
	limit := grpc.MaxRecvMsgSize(rig.MaxMessage)
	b.Run("bare", func(b *testing.B) { runLoopback(b, contender.BareServer(nil, limit), size) })
	for _, name := range []string{"crosscut", "go-grpc-middleware"} {
		b.Run(name+"/W5", func(b *testing.B) {
			runLoopback(b, contender.FindGRPC(name).Server(parts(b, contender.W5), limit), size)
		})
	}
}

// BenchmarkParallel is the small call by several callers over one connection.
func BenchmarkParallel(b *testing.B) {
	run := func(b *testing.B, callers int, srv contender.Server) {
		client := dial(b, srv)
		ctx := metadata.AppendToOutgoingContext(b.Context(), sent...)
		calls := make(chan struct{})
		failed := make(chan error, callers)
		for range callers {
			go func() {
				var err error
				for range calls {
					if err == nil {
						_, err = client.Unary(ctx, &pb.UnaryRequest{Text: "x"})
					}
				}
				failed <- err
			}()
		}
		measure(b, func() error {
			calls <- struct{}{}
			return nil
		})
		close(calls)
		for range callers {
			if err := <-failed; err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, callers := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprintf("bare/%d", callers), func(b *testing.B) { run(b, callers, contender.BareServer(nil)) })
		for _, name := range []string{"crosscut", "go-grpc-middleware"} {
			b.Run(fmt.Sprintf("%s/W5/%d", name, callers), func(b *testing.B) {
				run(b, callers, contender.FindGRPC(name).Server(parts(b, contender.W5)))
			})
		}
	}
}
