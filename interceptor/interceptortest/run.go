package interceptortest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// Run checks that a hook keeps the rules every hook has to keep, on every
// transport:
//
//   - A call it accepts succeeds: the handler is reached, and its reply and the
//     headers it sets arrive as without the hook.
//   - A call without credentials or anything else either succeeds or is rejected
//     with an error that has a code; nothing panics.
//   - A handler that fails or panics, a client that leaves, and a method that
//     does not exist are no surprise: the hook misuses nothing, panics nowhere, and
//     its AfterResponse runs once.
//   - Calls at the same time do not disturb each other (run tests with -race), and
//     none leaves a goroutine behind or blocks.
//   - Its phases do not panic on a zero Call, which other people's unit tests may
//     hand to it.
//
// newHook makes the hook, for every server anew. A hook that rejects calls without
// certain headers, or that needs others before it, takes the options [WithRequest]
// and [WithOuter]. What the hook is about is for its own tests: see [Each] and
// [NewCall].
func Run(t *testing.T, newHook func() interceptor.Hook, opts ...RunOption) {
	t.Helper()
	c := &conformance{newHook: newHook, outer: func() []interceptor.Hook { return nil }}
	c.request.Message = "hello"
	for _, o := range opts {
		o.applyRun(c)
	}
	if _, err := interceptor.New(c.hooks()...); err != nil {
		t.Fatal(err)
	}
	t.Run("zero call", func(t *testing.T) {
		for _, p := range zeroCallProblems(t.Context(), newHook()) {
			t.Error(p)
		}
	})
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			for _, r := range rules {
				if r.on != nil && !r.on(w) {
					continue
				}
				for _, p := range c.violations(t.Context(), w, r) {
					t.Errorf("%s: %s: %s", w.name, r.name, p)
				}
			}
		})
	}
}

// RunOption adapts [Run] to a hook.
type RunOption interface{ applyRun(*conformance) }

type runOption func(*conformance)

func (f runOption) applyRun(c *conformance) { f(c) }

// WithRequest gives a request that the hook accepts. The default has no headers
// and the message "hello". Its Handler is not used. Repeating it replaces the
// request.
func WithRequest(request Request) RunOption {
	return runOption(func(c *conformance) { c.request = request })
}

// WithOuter gives hooks that must be listed before the hook, such as the one that
// provides a key. They are made anew for every server, and misuse by them fails
// the test as well. Repeating it replaces them.
func WithOuter(newHooks func() []interceptor.Hook) RunOption {
	return runOption(func(c *conformance) { c.outer = newHooks })
}

// conformance is what Run checks.
type conformance struct {
	newHook func() interceptor.Hook
	outer   func() []interceptor.Hook
	request Request
	linger  time.Duration // see trial
}

func (c *conformance) hooks() []interceptor.Hook {
	outer := c.outer()
	return append(outer[:len(outer):len(outer)], c.newHook())
}

// zeroCallProblems runs the phases of the hook on zero calls.
func zeroCallProblems(ctx context.Context, hook interceptor.Hook) (problems []string) {
	failure := interceptor.NewError(codes.Internal, "test")
	method := NewMethod(pb.ConformanceService_Unary_FullMethodName)
	handler := func(context.Context, *interceptor.Call) error { return nil }
	message := &pb.UnaryRequest{}
	phases := map[string]func(context.Context, *interceptor.Call){
		"BeforeRequest": func(ctx context.Context, call *interceptor.Call) { _, _ = hook.BeforeRequest(ctx, call) },
		"BeforeHandler": func(ctx context.Context, call *interceptor.Call) { _, _ = hook.BeforeHandler(ctx, call, method) },
		"OnError":       func(ctx context.Context, call *interceptor.Call) { _ = hook.OnError(ctx, call, failure) },
		"AfterResponse": hook.AfterResponse,
	}
	if h, ok := hook.(interceptor.MessageHook); ok {
		phases["OnReceive"] = func(ctx context.Context, call *interceptor.Call) { _ = h.OnReceive(ctx, call, message) }
		phases["OnSend"] = func(ctx context.Context, call *interceptor.Call) { _ = h.OnSend(ctx, call, message) }
	}
	if h, ok := hook.(interceptor.ResponseHook); ok {
		phases["BeforeResponse"] = func(ctx context.Context, call *interceptor.Call) { _ = h.BeforeResponse(ctx, call) }
	}
	if h, ok := hook.(interceptor.HandlerHook); ok {
		phases["WrapHandler"] = func(ctx context.Context, call *interceptor.Call) { _ = h.WrapHandler(handler)(ctx, call) }
	}
	for name, phase := range phases {
		func() {
			defer func() {
				if v := recover(); v != nil {
					problems = append(problems, fmt.Sprintf("%s panics on a zero Call: %v", name, v))
				}
			}()
			phase(ctx, new(interceptor.Call))
		}()
	}
	return problems
}
