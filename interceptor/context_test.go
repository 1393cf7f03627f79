package interceptor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

type ctxKey string

// mapContext is a context of a type that == cannot compare.
type mapContext struct {
	context.Context
	_ map[string]string
}

// TestContextsNest covers rule 8: who sees what a hook put into a context.
func TestContextsNest(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	note := func(phase string, ctx context.Context) {
		for _, k := range []ctxKey{"req1", "req2", "hnd2", "req3"} {
			if ctx.Value(k) != nil {
				phase += " " + string(k)
			}
		}
		tr.add("[" + phase + "]")
	}
	spy := func(name string) interceptor.Hook {
		put := func(ctx context.Context, key string) context.Context {
			return context.WithValue(ctx, ctxKey(key), true)
		}
		return interceptor.FromFuncs(name, funcsT{
			BeforeRequest: func(ctx ctxT, _ *callT) (ctxT, error) { return put(ctx, "req"+name), nil },
			BeforeHandler: func(ctx ctxT, _ *callT, _ *methT) (ctxT, error) {
				note("BH"+name, ctx)
				if name == "2" {
					return put(ctx, "hnd2"), nil
				}
				return ctx, nil
			},
			OnReceive:      func(ctx ctxT, _ *callT, _ any) error { note("RX"+name, ctx); return nil },
			OnError:        func(ctx ctxT, _ *callT, err error) error { note("OE"+name, ctx); return err },
			BeforeResponse: func(ctx ctxT, _ *callT) error { note("RS"+name, ctx); return nil },
			AfterResponse:  func(ctx ctxT, _ *callT) { note("AR"+name, ctx) },
		})
	}
	pick := func(want string) interceptor.Selector {
		return interceptor.SelectFunc("all", func(*methT) bool { return want == "late" })
	}
	run := func(hooks ...interceptor.Hook) {
		stack, _ := build(t, hooks...)
		(&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctx ctxT, _ any) (any, error) {
			note("HND", ctx)
			return nil, errDenied
		}}).run()
	}
	run(spy("1"), spy("2"), interceptor.FromFuncs("quiet", funcsT{AfterResponse: func(ctx ctxT, _ *callT) { note("ARq", ctx) }}))
	wantTrace(t, tr, "[BH1 req1 req2] [BH2 req1 req2] [RX1 req1 req2 hnd2] [RX2 req1 req2 hnd2] [HND req1 req2 hnd2]"+
		" [OE2 req1 req2] [OE1 req1] [RS2 req1 req2] [RS1 req1] [ARq req1 req2] [AR2 req1 req2] [AR1 req1]")
	*tr = trace{}
	run(spy("1"), interceptor.When(pick("late"), spy("2")), spy("3"))
	wantTrace(t, tr, "[BH1 req1 req3] [BH2 req1 req2 req3] [BH3 req1 req2 hnd2 req3]"+
		" [RX1 req1 req2 hnd2 req3] [RX2 req1 req2 hnd2 req3] [RX3 req1 req2 hnd2 req3] [HND req1 req2 hnd2 req3]"+
		" [OE3 req1 req3] [OE2 req1 req2 req3] [OE1 req1] [RS3 req1 req3] [RS2 req1 req2 req3] [RS1 req1]"+
		" [AR3 req1 req3] [AR2 req1 req2 req3] [AR1 req1]")
}

// TestBadContext: a context that is not the call's is INTERNAL and names the
// hook, wherever it is handed over.
func TestBadContext(t *testing.T) {
	t.Parallel()
	other := new(callT)
	empty, _ := build(t)
	foreign := ops.Begin(other, empty, context.Background(), &wire{kind: driver.GRPC})
	for name, bad := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"nil":          {nil, "is nil"},
		"not derived":  {context.Background(), "is not derived"},
		"another call": {foreign, "belongs to another call"},
	} {
		for phase, h2 := range map[string]funcsT{
			"BeforeRequest": {BeforeRequest: func(ctxT, *callT) (ctxT, error) { return bad.ctx, nil }},
			"BeforeHandler": {BeforeHandler: func(ctxT, *callT, *methT) (ctxT, error) { return bad.ctx, nil }},
			"next": {WrapHandler: func(next interceptor.Handler) interceptor.Handler {
				return func(_ ctxT, call *callT) error { _ = next(bad.ctx, call); return nil }
			}},
		} {
			t.Run(name+"/"+phase, func(t *testing.T) {
				t.Parallel()
				tr := &trace{}
				stack, log := tr.three(t, funcsT{}, h2, funcsT{})
				o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
				if o.reached || o.call.Code() != codes.Internal {
					t.Errorf("reached %v, code %v; want INTERNAL before the handler", o.reached, o.call.Code())
				}
				wantText(t, log.String(), "hook H2", bad.want, phase)
			})
		}
	}
}

// TestContextIgnoredWithError: what comes with an error is not looked at.
func TestContextIgnoredWithError(t *testing.T) {
	t.Parallel()
	stack, log := build(t, interceptor.FromFuncs("h", funcsT{BeforeRequest: func(ctxT, *callT) (ctxT, error) { return context.Background(), errDenied }}))
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
	if o.call.Code() != codes.PermissionDenied || log.String() != "" {
		t.Errorf("code %v, reports %s; want the rejection alone", o.call.Code(), log)
	}
}

// TestUncomparableContext: a context type that == cannot compare passes the hooks
// further in.
func TestUncomparableContext(t *testing.T) {
	t.Parallel()
	change := funcsT{BeforeRequest: func(ctx ctxT, _ *callT) (ctxT, error) { return mapContext{Context: ctx}, nil }}
	tr := &trace{}
	stack, log := tr.three(t, change, funcsT{}, change)
	if o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run(); o.err != nil {
		t.Errorf("failed with %v; reports %s", o.err, log)
	}
}

// TestLifetimeSurvives: WithoutCancel, a longer deadline or another parent do not
// free a call from its transport.
func TestLifetimeSurvives(t *testing.T) {
	t.Parallel()
	strip := context.WithoutCancel
	cause := errors.New("gone")
	for phase, hook := range map[string]funcsT{
		"BeforeRequest": {BeforeRequest: func(ctx ctxT, _ *callT) (ctxT, error) { return strip(ctx), nil }},
		"BeforeHandler": {BeforeHandler: func(ctx ctxT, _ *callT, _ *methT) (ctxT, error) { return strip(ctx), nil }},
	} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			deadline := time.Now().Add(time.Hour)
			timed, stop := context.WithDeadline(context.Background(), deadline)
			defer stop()
			parent, cancel := context.WithCancelCause(timed)
			stack, _ := build(t, interceptor.FromFuncs("strip", hook))
			var kept context.Context
			(&rig{stack: stack, parent: parent, method: newRPC(interceptor.Unary), unary: func(ctx ctxT, _ any) (any, error) {
				kept = ctx
				if d, ok := ctx.Deadline(); !ok || !d.Equal(deadline) {
					t.Errorf("deadline %v %v, want the transport's", d, ok)
				}
				cancel(cause)
				if ctx.Done() == nil {
					t.Error("the handler's context never ends")
					return text("out"), nil
				}
				<-ctx.Done()
				if !errors.Is(context.Cause(ctx), cause) {
					t.Errorf("cause %v, want the transport's", context.Cause(ctx))
				}
				return text("out"), nil
			}}).run()
			if kept.Err() == nil {
				t.Error("what was made to keep the transport's lifetime has not been released")
			}
		})
	}
}

// TestOwnDeadlineStays: a hook may shorten the life of a call, and what was made
// to keep the transport's is released at the end.
func TestOwnDeadlineStays(t *testing.T) {
	t.Parallel()
	parent, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	early := time.Now().Add(time.Minute)
	stack, _ := build(t, interceptor.FromFuncs("timeout", funcsT{BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
		ctx, stop := context.WithDeadline(ctx, early)
		call.Defer(stop)
		return ctx, nil
	}}))
	var kept context.Context
	(&rig{stack: stack, parent: parent, method: newRPC(interceptor.Unary), unary: func(ctx ctxT, _ any) (any, error) {
		kept = ctx
		if d, _ := ctx.Deadline(); !d.Equal(early) || ctx.Err() != nil {
			t.Errorf("deadline %v, err %v; want the hook's", d, ctx.Err())
		}
		return text("out"), nil
	}}).run()
	if kept.Err() == nil || parent.Err() != nil {
		t.Errorf("after the call: %v, parent %v; want the call's released alone", kept.Err(), parent.Err())
	}
}

// TestTruthAboutTheEnd covers rule 13: deadline or cancel, and the cause that
// carries a status.
func TestTruthAboutTheEnd(t *testing.T) {
	t.Parallel()
	shutdown := interceptor.NewError(codes.Unavailable, "shutting down")
	past := time.Now().Add(-time.Second)
	tests := []struct {
		name     string
		deadline time.Time
		cause    error
		err      error
		want     codes.Code
	}{
		{"cancelled", time.Time{}, context.Canceled, context.Canceled, codes.Canceled},
		{"deadline", past, nil, context.DeadlineExceeded, codes.DeadlineExceeded},
		{"deadline that says Canceled", past, nil, context.Canceled, codes.DeadlineExceeded},
		{"a status of Canceled after the deadline", past, nil, interceptor.NewError(codes.Canceled, "x"), codes.DeadlineExceeded},
		{"a cause with a status wins", time.Time{}, shutdown, context.Canceled, codes.Unavailable},
		{"another failure stays", past, nil, errDenied, codes.PermissionDenied},
		{"a failure of somebody else's context", time.Time{}, nil, context.DeadlineExceeded, codes.DeadlineExceeded},
	}
	for _, test := range tests {
		for shape, r := range shapes() {
			t.Run(test.name+"/"+shape, func(t *testing.T) {
				t.Parallel()
				ctx := context.Background()
				if !test.deadline.IsZero() {
					var stop context.CancelFunc
					ctx, stop = context.WithDeadline(ctx, test.deadline)
					defer stop()
				}
				parent, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				if test.cause != nil {
					cancel(test.cause)
				}
				var after codes.Code
				r.stack, _ = build(t, interceptor.FromFuncs("after", funcsT{AfterResponse: func(_ ctxT, call *callT) { after = call.Code() }}))
				r.parent = parent
				r.unary = func(ctxT, any) (any, error) { return nil, test.err }
				r.failWith(test.err)
				if o := r.run(); after != test.want || interceptor.StatusOf(o.err).Code() != test.want || !errors.Is(o.err, test.err) {
					t.Errorf("AfterResponse saw %v, the client %v; want %v", after, o.err, test.want)
				}
			})
		}
	}
}

// failWith makes the handler of any shape fail.
func (r *rig) failWith(err error) {
	r.unary = func(ctxT, any) (any, error) { return nil, err }
	if r.stream != nil {
		r.stream = func(*stream) error { return err }
	}
	if r.plain != nil {
		r.plain = func(*plainWriter) error { return err }
	}
}

// TestCallFrom: the call is found in its own context and what derives from it,
// and nowhere else; a call inside another is the inner one.
func TestCallFrom(t *testing.T) {
	t.Parallel()
	stack, _ := build(t)
	outer, inner := new(callT), new(callT)
	ctx := ops.Begin(outer, stack, context.Background(), &wire{kind: driver.HTTP})
	if got, ok := interceptor.CallFrom(context.WithValue(ctx, ctxKey("x"), 1)); !ok || got != outer {
		t.Error("the call was not found")
	}
	ctx = ops.Begin(inner, stack, ctx, &wire{kind: driver.GRPC})
	if got, _ := interceptor.CallFrom(ctx); got != inner {
		t.Error("the inner call was not found")
	}
	if _, ok := interceptor.CallFrom(context.Background()); ok {
		t.Error("found a call in a foreign context")
	}
	if _, ok := interceptor.CallFrom(nil); ok { //nolint:staticcheck // nil must not panic
		t.Error("found a call in nil")
	}
	_ = ops.Fail(outer, errDenied, false)
	if ctx.Err() != nil {
		t.Errorf("a failed call looks cancelled: %v", ctx.Err())
	}
}
