package interceptor_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

type handlerT = interceptor.Handler

func wrap(name string, around func(next handlerT) handlerT) interceptor.Hook {
	return interceptor.FromFuncs(name, funcsT{WrapHandler: around})
}

// TestWrapOrder: the first hook is outermost.
func TestWrapOrder(t *testing.T) {
	t.Parallel()
	for shape, r := range shapes() {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			around := func(name string) interceptor.Hook {
				return wrap(name, func(next handlerT) handlerT {
					return func(ctx context.Context, call *callT) error {
						tr.add(name + "(")
						defer tr.add(")" + name)
						return next(context.WithValue(ctx, ctxKey(name), true), call)
					}
				})
			}
			r.stack, _ = build(t, around("1"), interceptor.Base{}, around("2"))
			if o := r.run(); o.err != nil || !o.reached {
				t.Errorf("err %v, reached %v", o.err, o.reached)
			}
			wantTrace(t, tr, "1( 2( )2 )1")
		})
	}
}

// TestWrapBuiltOnce: once per distinct list of hooks, never per call, method or
// transport.
func TestWrapBuiltOnce(t *testing.T) {
	t.Parallel()
	var built atomic.Int32
	count := func(next handlerT) handlerT { built.Add(1); return next }
	only := newRPC(interceptor.BidiStream)
	stack, _ := build(t, wrap("all", count), interceptor.When(interceptor.Methods(only.Name()), wrap("some", count)))
	for range 3 {
		for _, kind := range []driver.Kind{driver.GRPC, driver.HTTP} {
			(&rig{stack: stack, method: newRPC(interceptor.Unary), kind: kind}).run()
			(&rig{stack: stack, method: only, kind: kind, stream: func(*stream) error { return nil }}).run()
		}
	}
	if built.Load() != 3 { // [all], and [all some]
		t.Errorf("WrapHandler ran %d times, want 3", built.Load())
	}
}

// TestNextTwice: only a unary RPC whose last run failed may run again.
func TestNextTwice(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	twice := func(next handlerT) handlerT {
		return func(ctx context.Context, call *callT) error {
			_ = next(ctx, call)
			return next(ctx, call)
		}
	}
	for shape, r := range shapes() {
		for name, fail := range map[string]bool{"after a failure": true, "after a success": false} {
			t.Run(shape+" "+name, func(t *testing.T) {
				t.Parallel()
				r := *r
				runs := 0
				outcome := func() error {
					if runs++; fail && runs == 1 {
						return boom
					}
					return nil
				}
				r.unary = func(ctxT, any) (any, error) { return text("out"), outcome() }
				if r.stream != nil {
					r.stream = func(*stream) error { return outcome() }
				}
				if r.plain != nil {
					r.plain = func(*plainWriter) error { return outcome() }
				}
				stack, log := build(t, wrap("outer", func(next handlerT) handlerT { return next }), wrap("retry", twice))
				r.stack = stack
				o := r.run()
				if shape == "unary" && fail {
					if o.err != nil || runs != 2 {
						t.Errorf("err %v after %d runs; want a retry that succeeds", o.err, runs)
					}
					return
				}
				if runs != 1 || o.call.Code() != codes.Internal || len(o.sent) != 0 {
					t.Errorf("%d runs, code %v, %d sent; want one run and INTERNAL", runs, o.call.Code(), len(o.sent))
				}
				wantText(t, log.String(), "hook retry", "next was called again")
			})
		}
	}
}

// TestNestedRetry: hooks may retry inside each other's retries.
func TestNestedRetry(t *testing.T) {
	t.Parallel()
	retry := func(next handlerT) handlerT {
		return func(ctx context.Context, call *callT) error {
			if err := next(ctx, call); err != nil {
				return next(ctx, call)
			}
			return nil
		}
	}
	runs := 0
	stack, log := build(t, wrap("a", retry), wrap("b", retry))
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) {
		if runs++; runs < 4 {
			return nil, errDenied
		}
		return text("out"), nil
	}}).run()
	if o.text() != "out" || runs != 4 {
		t.Errorf("got %s after %d runs; reports %s", o.text(), runs, log)
	}
}

// TestNoTwoRunsAtOnce: a second next while the first has not returned is refused,
// also when a hook further in has just seen a failure.
func TestNoTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	var hedge func() error
	outer := wrap("hedge", func(next handlerT) handlerT {
		return func(ctx context.Context, call *callT) error {
			hedge = func() error { return next(ctx, call) }
			return next(ctx, call)
		}
	})
	inner := wrap("inner", func(next handlerT) handlerT {
		return func(ctx context.Context, call *callT) error {
			err := next(ctx, call)
			if second := hedge(); interceptor.StatusOf(second).Code() != codes.Internal {
				t.Errorf("a second run while the first goes on gave %v", second)
			}
			return err
		}
	})
	runs := 0
	stack, log := build(t, outer, inner)
	(&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { runs++; return nil, errDenied }}).run()
	if runs != 1 {
		t.Errorf("the handler ran %d times", runs)
	}
	wantText(t, log.String(), "hook hedge")
}

// TestWrapSwallows: a hook that neither calls next nor answers, or drops the
// error of next, does not make an empty success of the call.
func TestWrapSwallows(t *testing.T) {
	t.Parallel()
	for name, around := range map[string]func(handlerT) handlerT{
		"never calls next": func(handlerT) handlerT { return func(context.Context, *callT) error { return nil } },
		"drops the error": func(next handlerT) handlerT {
			return func(ctx context.Context, call *callT) error { _ = next(ctx, call); return nil }
		},
	} {
		for shape, r := range shapes() {
			t.Run(name+"/"+shape, func(t *testing.T) {
				t.Parallel()
				r.failWith(errDenied)
				stack, log := build(t, wrap("bad", around), wrap("good", func(next handlerT) handlerT { return next }))
				r.stack = stack
				if o := r.run(); o.err == nil || o.call.Code() != codes.Internal {
					t.Errorf("err %v, code %v; want INTERNAL", o.err, o.call.Code())
				}
				wantText(t, log.String(), "hook bad", "WrapHandler returned nil")
			})
		}
	}
}

// TestWrapFallback: a hook may answer for a handler that failed.
func TestWrapFallback(t *testing.T) {
	t.Parallel()
	stack, _ := build(t, wrap("stale", func(next handlerT) handlerT {
		return func(ctx context.Context, call *callT) error {
			if err := next(ctx, call); err == nil {
				return nil
			}
			return call.Reply(text("stale"))
		}
	}))
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { return nil, errDenied }}).run()
	if o.text() != "stale" || o.err != nil {
		t.Errorf("got %s, %v", o.text(), o.err)
	}
}

// TestWrapPanics: outer hooks get a panic further in as an error, and the report
// names who panicked.
func TestWrapPanics(t *testing.T) {
	t.Parallel()
	var seen error
	outer := wrap("tx", func(next handlerT) handlerT {
		return func(ctx context.Context, call *callT) error { seen = next(ctx, call); return seen }
	})
	for name, test := range map[string]struct {
		hook    func(handlerT) handlerT
		handler func(ctxT, any) (any, error)
		who     string
	}{
		"hook":    {func(handlerT) handlerT { return func(context.Context, *callT) error { panic("boom") } }, nil, "bad"},
		"handler": {func(next handlerT) handlerT { return next }, func(ctxT, any) (any, error) { panic("boom") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			stack, log := build(t, outer, wrap("bad", test.hook))
			o := (&rig{stack: stack, method: newRPC(interceptor.Unary), unary: test.handler}).run()
			var p *interceptor.PanicError
			if !errors.As(seen, &p) || p.Hook != test.who || len(p.Stack) == 0 || o.call.Code() != codes.Internal {
				t.Errorf("outer hook saw %#v, code %v", seen, o.call.Code())
			}
			wantText(t, log.String(), "boom")
		})
	}
}

// TestWrapNil: a WrapHandler that returns nil or panics closes the method.
func TestWrapNil(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func(handlerT) handlerT{
		"returned nil": func(handlerT) handlerT { return nil },
		"panic: boom":  func(handlerT) handlerT { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack, log := build(t, wrap("bad", bad))
			m := newRPC(interceptor.Unary)
			if err := ops.Prepare(stack, m, driver.GRPC); err == nil {
				t.Error("Prepare accepted it")
			}
			if o := (&rig{stack: stack, method: m}).run(); o.reached || o.call.Code() != codes.Internal {
				t.Errorf("reached %v, code %v; want the method closed", o.reached, o.call.Code())
			}
			wantText(t, log.String(), m.Name(), "is closed", name)
		})
	}
}
