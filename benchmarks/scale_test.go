package benchmarks_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	"github.com/crosscut-go/crosscut/benchmarks/rig"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// BenchmarkHooks is a call behind a number of hooks that do nothing: the slope is
// what a further hook costs. "calls" is no more than the three phases of each hook,
// called one after another in a loop: what no stack of hooks can do without.
func BenchmarkHooks(b *testing.B) {
	for _, n := range []int{0, 1, 2, 4, 8, 16, 32, 64} {
		b.Run(fmt.Sprintf("grpc/%d", n), func(b *testing.B) { runDirect(b, rig.NewDirect(guardBy(noOps(n)), nil)) })
		b.Run(fmt.Sprintf("http/%d", n), func(b *testing.B) { runHTTP(b, muxBy(noOps(n)), "/books/list") })
		b.Run(fmt.Sprintf("rest/%d", n), func(b *testing.B) { runHTTP(b, restBy(b, noOps(n)), restPath) })
		b.Run(fmt.Sprintf("calls/%d", n), func(b *testing.B) { callPhases(b, noOpHooks(n)) })
	}
}

// callPhases calls the phases of every hook as a stack does.
func callPhases(b *testing.B, hooks []interceptor.Hook) {
	ctx := b.Context()
	measure(b, func() error {
		for _, h := range hooks {
			if _, err := h.BeforeRequest(ctx, nil); err != nil {
				return err
			}
		}
		for _, h := range hooks {
			if _, err := h.BeforeHandler(ctx, nil, nil); err != nil {
				return err
			}
		}
		for _, h := range slices.Backward(hooks) {
			h.AfterResponse(ctx, nil)
		}
		return nil
	})
}

// restBy is the gateway behind a stack.
func restBy(b *testing.B, stack *interceptor.Stack) http.Handler {
	b.Helper()
	srv := grpcadapter.NewServer(stack)
	b.Cleanup(srv.Stop)
	pb.RegisterConformanceServiceServer(srv, contender.Service{})
	gw := gateway.New(stack, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(b.Context(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		b.Fatal(err)
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle(contender.RESTPattern, gw)
	return mux
}

// BenchmarkMethods is a call of one of a number of registered methods, over
// loopback, because finding the method is a part of it.
func BenchmarkMethods(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		desc := &grpc.ServiceDesc{ServiceName: "benchmarks.Many", HandlerType: (*any)(nil)}
		for i := range n {
			desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: fmt.Sprint("Method", i), Handler: many})
		}
		run := func(b *testing.B, srv contender.Server) {
			srv.RegisterService(desc, struct{}{})
			conn, stop, err := rig.Loopback(srv)
			if err != nil {
				b.Fatal(err)
			}
			defer stop()
			name := fmt.Sprintf("/benchmarks.Many/Method%d", n/2)
			in, out := &pb.UnaryRequest{Text: "x"}, &pb.UnaryResponse{}
			measure(b, func() error { return conn.Invoke(b.Context(), name, in, out) })
		}
		b.Run(fmt.Sprintf("bare/%d", n), func(b *testing.B) { run(b, contender.BareServer(nil)) })
		b.Run(fmt.Sprintf("crosscut/%d", n), func(b *testing.B) { run(b, crosscutServer(noOps(5))) })
	}
}

// many is the handler of each of many methods, as protoc-gen-go-grpc writes it.
func many(impl any, ctx context.Context, decode func(any) error, unary grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // the signature is grpc.MethodHandler
	in := new(pb.UnaryRequest)
	if err := decode(in); err != nil {
		return nil, err
	}
	handler := func(_ context.Context, req any) (any, error) { return &pb.UnaryResponse{Text: "x"}, nil }
	if unary == nil {
		return handler(ctx, in)
	}
	return unary(ctx, in, &grpc.UnaryServerInfo{Server: impl, FullMethod: "/benchmarks.Many/Method"}, handler)
}

// BenchmarkRoutes is a request for one of a number of routes.
func BenchmarkRoutes(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		bare, mux := http.NewServeMux(), httpadapter.NewMux(noOps(5))
		for i := range n {
			route := fmt.Sprintf("GET /books/r%d/{id}", i)
			bare.Handle(route, ok)
			mux.Handle(route, ok)
		}
		path := fmt.Sprintf("/books/r%d/7", n/2)
		b.Run(fmt.Sprintf("bare/%d", n), func(b *testing.B) { runHTTP(b, bare, path) })
		b.Run(fmt.Sprintf("crosscut/%d", n), func(b *testing.B) { runHTTP(b, mux, path) })
	}
}
