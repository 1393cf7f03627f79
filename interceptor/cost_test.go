package interceptor_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// quietWire costs nothing, so that what is measured is the engine.
type quietWire struct{ wire }

func (*quietWire) Invoke(context.Context) error { return nil }
func (*quietWire) Encode(any) error             { return nil }

// noop is the cheapest hook there is: four empty methods.
type noop struct{ interceptor.Base }

// noops makes a stack of n no-op hooks.
func noops(t testing.TB, n int) *interceptor.Stack {
	t.Helper()
	hooks := make([]interceptor.Hook, n)
	for i := range hooks {
		hooks[i] = interceptor.As(fmt.Sprint("noop", i), noop{})
	}
	stack, _ := build(t, hooks...)
	return stack
}

// whole runs the phases of one unary call from begin to end.
func whole(s *interceptor.Stack, m *methT, w driver.Transport, msg any) {
	c := new(callT)
	ops.Begin(c, s, context.Background(), w)
	if !ops.Request(c) || !ops.Resolve(c, m, "") {
		return
	}
	err := ops.Receive(c, msg, -1)
	if err == nil {
		err = ops.Handle(c, ops.Inner(c))
	}
	resp, err := ops.Answer(c, msg, err)
	_, _ = ops.Respond(c, resp, err)
	ops.Commit(c)
	ops.End(c, 0)
}

// TestAllocations: one for the call and its context, and none for any hook.
func TestAllocations(t *testing.T) {
	m, msg, w := newRPC(interceptor.Unary), text("m"), &quietWire{wire{kind: driver.GRPC}}
	for _, n := range []int{0, 1, 5, 20} {
		s := noops(t, n)
		if got := testing.AllocsPerRun(200, func() { whole(s, m, w, msg) }); got != 1 {
			t.Errorf("%d no-op hooks: %v allocations, want 1", n, got)
		}
	}
	quiet := func(ctxT, *callT, any) error { return nil }
	around := func(next handlerT) handlerT {
		return func(ctx context.Context, call *callT) error { return next(ctx, call) }
	}
	s, _ := build(t,
		interceptor.FromFuncs("messages", funcsT{OnReceive: quiet, OnSend: quiet}),
		interceptor.FromFuncs("response", funcsT{BeforeResponse: func(ctxT, *callT) error { return nil }}),
		interceptor.FromFuncs("wrap", funcsT{WrapHandler: around}), interceptor.FromFuncs("wrap2", funcsT{WrapHandler: around}))
	if got := testing.AllocsPerRun(200, func() { whole(s, m, w, msg) }); got != 1 {
		t.Errorf("hooks with every phase: %v allocations, want 1", got)
	}
}

// TestMessageAllocations: a streamed message costs none.
func TestMessageAllocations(t *testing.T) {
	s, msg := oneMessageHook(t), text("m")
	c := new(callT)
	ops.Begin(c, s, context.Background(), &quietWire{wire{kind: driver.GRPC}})
	ops.Request(c)
	ops.Resolve(c, newRPC(interceptor.BidiStream), "")
	if got := testing.AllocsPerRun(200, func() { _ = ops.Receive(c, msg, 1); _, _ = ops.Send(c, msg) }); got != 0 {
		t.Errorf("%v allocations for a message each way, want 0", got)
	}
}

func oneMessageHook(t testing.TB) *interceptor.Stack {
	quiet := func(ctxT, *callT, any) error { return nil }
	s, _ := build(t, interceptor.FromFuncs("messages", funcsT{OnReceive: quiet, OnSend: quiet}))
	return s
}

// BenchmarkHooks is a whole call with n no-op hooks; the slope is what a further
// hook costs.
func BenchmarkHooks(b *testing.B) {
	m, msg, w := newRPC(interceptor.Unary), text("m"), &quietWire{wire{kind: driver.GRPC}}
	for _, n := range []int{0, 1, 5, 10, 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := noops(b, n)
			b.ReportAllocs()
			for b.Loop() {
				whole(s, m, w, msg)
			}
		})
	}
}

// BenchmarkMessage is one streamed message through one MessageHook.
func BenchmarkMessage(b *testing.B) {
	begin := func(b *testing.B) *callT {
		c := new(callT)
		ops.Begin(c, oneMessageHook(b), context.Background(), &quietWire{wire{kind: driver.GRPC}})
		ops.Request(c)
		ops.Resolve(c, newRPC(interceptor.BidiStream), "")
		return c
	}
	msg := text("m")
	b.Run("receive", func(b *testing.B) {
		for c := begin(b); b.Loop(); {
			_ = ops.Receive(c, msg, 1)
		}
	})
	b.Run("send", func(b *testing.B) {
		for c := begin(b); b.Loop(); {
			_, _ = ops.Send(c, msg)
		}
	})
}
