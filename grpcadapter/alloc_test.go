package grpcadapter_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// transport is the least that a handler needs of one.
type transport struct{ grpc.ServerTransportStream }

func (transport) Method() string { return unaryName }

// direct returns a function that calls the generated handler of Unary behind
// stack, or bare for nil, without a socket.
func direct(tb testing.TB, stack *interceptor.Stack) func() {
	tb.Helper()
	to := &captured{}
	var registrar grpc.ServiceRegistrar = to
	if stack != nil {
		registrar = grpcadapter.Guard(stack, to)
	}
	out := &pb.UnaryResponse{}
	pb.RegisterConformanceServiceServer(registrar, &service{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		return out, nil
	}})
	ctx := grpc.NewContextWithServerTransportStream(tb.Context(), &transport{})
	dec := func(any) error { return nil }
	handler := to.desc.Methods[0].Handler
	return func() {
		if got, err := handler(to.impl, ctx, dec, nil); err != nil || got != out {
			tb.Fatal(got, err)
		}
	}
}

// noOps returns a stack of n hooks that do nothing.
func noOps(n int) *interceptor.Stack {
	var hooks []interceptor.Hook
	for i := range n {
		hooks = append(hooks, interceptor.As(fmt.Sprint("no-op ", i), struct{ interceptor.Base }{}))
	}
	return interceptor.MustNew(hooks...)
}

// TestAllocations pins what a stack costs a unary call: one allocation for the
// call, two that generated code makes for any interceptor, and none per hook.
func TestAllocations(t *testing.T) { // not parallel: it counts allocations
	bare := testing.AllocsPerRun(200, direct(t, nil))
	for _, hooks := range []int{0, 1, 10, 100} {
		got := testing.AllocsPerRun(200, direct(t, noOps(hooks))) - bare
		if got > 3 {
			t.Errorf("a stack of %d no-op hooks adds %v allocations to a unary call, want at most 3", hooks, got)
		}
	}
}

func BenchmarkUnaryDirect(b *testing.B) {
	for _, c := range []struct {
		name  string
		stack *interceptor.Stack
	}{{"bare", nil}, {"empty stack", noOps(0)}, {"1 hook", noOps(1)}, {"10 hooks", noOps(10)}} {
		b.Run(c.name, func(b *testing.B) {
			call := direct(b, c.stack)
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
