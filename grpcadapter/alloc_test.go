package grpcadapter_test

import (
	"context"
	"errors"
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

// endless is a stream whose messages cost nothing.
type endless struct{ grpc.ServerStream }

func (endless) Context() context.Context { return context.Background() }
func (endless) SendMsg(any) error        { return nil }
func (endless) RecvMsg(any) error        { return nil }

// TestMessageAllocations: a message of a stream costs the stack nothing, each way.
func TestMessageAllocations(t *testing.T) { // not parallel: it counts allocations
	var messages int
	echo := func(_ any, stream grpc.ServerStream) error {
		in, out := &pb.BidiStreamRequest{}, &pb.BidiStreamResponse{}
		for range messages {
			if err := errors.Join(stream.RecvMsg(in), stream.SendMsg(out)); err != nil {
				return err
			}
		}
		return nil
	}
	to := &captured{}
	grpcadapter.Guard(noOps(3), to).RegisterService(&grpc.ServiceDesc{
		ServiceName: "allocations.test.Service",
		Streams:     []grpc.StreamDesc{{StreamName: "Echo", Handler: echo, ServerStreams: true, ClientStreams: true}},
	}, nil)
	count := func(n int) float64 {
		messages = n
		return testing.AllocsPerRun(20, func() {
			if err := to.desc.Streams[0].Handler(to.impl, endless{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(10), count(1010); few != many {
		t.Errorf("1,000 more messages each way cost %v allocations, want none", many-few)
	}
}

// loopback returns a function that makes a unary call through a real server and a
// connection in memory, behind stack, or bare for nil.
func loopback(t *testing.T, stack *interceptor.Stack) func() {
	t.Helper()
	var srv server = grpc.NewServer()
	if stack != nil {
		srv = grpcadapter.NewServer(stack)
	}
	pb.RegisterConformanceServiceServer(srv, &service{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		return &pb.UnaryResponse{Text: "reply"}, nil
	}})
	client := pb.NewConformanceServiceClient(serve(t, srv))
	return func() {
		if _, err := client.Unary(t.Context(), &pb.UnaryRequest{Text: "request"}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLoopbackAllocations pins what an empty stack adds to a whole call over a
// connection, the trial encoding of the reply included. Client and server share the
// process and the transport allocates now and then for itself, so each side is the
// least of several rounds.
func TestLoopbackAllocations(t *testing.T) { // not parallel: it counts allocations
	least := func(call func()) float64 {
		got := testing.AllocsPerRun(300, call)
		for range 4 {
			got = min(got, testing.AllocsPerRun(300, call))
		}
		return got
	}
	bare := least(loopback(t, nil))
	if got := least(loopback(t, noOps(0))) - bare; got > 6 {
		t.Errorf("an empty stack adds %v allocations to a unary call over a connection, want at most 6", got)
	} else {
		t.Logf("an empty stack adds %v allocations to the %v of a bare call", got, bare)
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
