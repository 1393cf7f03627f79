package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var errDenied = interceptor.NewError(codes.PermissionDenied, "denied")

// TestOrder is the picture of the package comment, for every shape of call.
func TestOrder(t *testing.T) {
	t.Parallel()
	const before = "BR1 BR2 BR3 BH1 BH2 BH3 "
	const after = " RS3 RS2 RS1 AR3 AR2 AR1 DF"
	echo := func(s *stream) error {
		for {
			m, err := s.recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := s.send(m); err != nil {
				return err
			}
		}
	}
	tests := []struct {
		name string
		rig  rig
		want string
	}{
		{"unary", rig{method: newRPC(interceptor.Unary)},
			before + "RX1 RX2 RX3 TX3 TX2 TX1" + after},
		{"bidi", rig{method: newRPC(interceptor.BidiStream), stream: echo},
			before + "RX1 RX2 RX3 TX3 TX2 TX1" + after},
		{"silent stream", rig{method: newRPC(interceptor.BidiStream), stream: func(*stream) error { return nil }},
			before + "RS3 RS2 RS1 AR3 AR2 AR1 DF"},
		{"plain", rig{method: ops.NewRoute("GET /x"), kind: driver.HTTP, plain: func(w *plainWriter) error { w.writeHeader(200); return nil }},
			before + "RS3 RS2 RS1 AR3 AR2 AR1 DF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			r := test.rig
			r.stack, _ = tr.three(t, funcsT{BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
				call.Defer(func() { tr.add("DF") })
				return ctx, nil
			}}, funcsT{}, funcsT{})
			o := r.run()
			wantTrace(t, tr, test.want)
			if o.err != nil || !o.reached || o.call.Code() != codes.OK {
				t.Errorf("err %v, reached %v, code %v; want a success", o.err, o.reached, o.call.Code())
			}
		})
	}
}

// TestStreamOrder: OnSend of the first message, BeforeResponse, the bytes, and
// OnSend alone from then on.
func TestStreamOrder(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, _ := build(t, tr.hook("1", funcsT{}))
	o := (&rig{stack: stack, method: newRPC(interceptor.ServerStream), stream: func(s *stream) error {
		if _, err := s.recv(); err != nil {
			return err
		}
		for _, m := range []string{"a", "b"} {
			if err := s.send(text(m)); err != nil {
				return err
			}
		}
		return errDenied
	}}).run()
	wantTrace(t, tr, "BR1 BH1 RX1 TX1 RS1 TX1 OE1 AR1")
	if len(o.sent) != 2 || o.call.Code() != codes.PermissionDenied {
		t.Errorf("%d messages and %v; want both and the status", len(o.sent), o.call.Code())
	}
}

// TestRejection covers rules 1 to 3: who is entered, and that nothing further in
// runs after a rejection.
func TestRejection(t *testing.T) {
	t.Parallel()
	reject := func(ctxT, *callT) (ctxT, error) { return nil, errDenied }
	forbid := func(ctxT, *callT, *methT) (ctxT, error) { return nil, errDenied }
	tests := []struct {
		name string
		h2   funcsT
		want string
	}{
		{"BeforeRequest", funcsT{BeforeRequest: reject}, "BR1 BR2 OE1 RS1 AR1"},
		{"BeforeHandler", funcsT{BeforeHandler: forbid}, "BR1 BR2 BR3 BH1 BH2 OE3 OE2 OE1 RS3 RS2 RS1 AR3 AR2 AR1"},
		{"panic in BeforeRequest", funcsT{BeforeRequest: func(ctxT, *callT) (ctxT, error) { panic("x") }}, "BR1 BR2 OE1 RS1 AR1"},
		{"panic in BeforeHandler", funcsT{BeforeHandler: func(ctxT, *callT, *methT) (ctxT, error) { panic("x") }},
			"BR1 BR2 BR3 BH1 BH2 OE3 OE2 OE1 RS3 RS2 RS1 AR3 AR2 AR1"},
	}
	for _, test := range tests {
		for name, shape := range shapes() {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				tr := &trace{}
				shape.stack, _ = tr.three(t, funcsT{}, test.h2, funcsT{})
				o := shape.run()
				wantTrace(t, tr, test.want)
				if o.reached || o.err == nil {
					t.Errorf("reached %v, err %v; want a rejection before the handler", o.reached, o.err)
				}
			})
		}
	}
}

// shapes are one rig of each driver with a handler that succeeds.
func shapes() map[string]*rig {
	return map[string]*rig{
		"unary": {method: newRPC(interceptor.Unary)},
		"stream": {method: newRPC(interceptor.ServerStream), stream: func(s *stream) error {
			if _, err := s.recv(); err != nil {
				return err
			}
			return s.send(text("out"))
		}},
		"plain": {method: ops.NewRoute("/x"), kind: driver.HTTP, plain: func(w *plainWriter) error { w.writeHeader(200); return nil }},
	}
}

// TestUnknownMethod: no BeforeHandler where no code of the user's would run.
func TestUnknownMethod(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, _ := tr.three(t, funcsT{}, funcsT{}, funcsT{})
	o := (&rig{stack: stack}).run()
	wantTrace(t, tr, "BR1 BR2 BR3 OE3 OE2 OE1 RS3 RS2 RS1 AR3 AR2 AR1")
	if o.call.Code() != codes.Unimplemented || o.call.Method() != nil {
		t.Errorf("code %v, method %v; want Unimplemented and none", o.call.Code(), o.call.Method())
	}
}

// TestAfterResponseSurvives: neither a panic nor the end of the goroutine in one
// AfterResponse or cleanup keeps another from running, once.
func TestAfterResponseSurvives(t *testing.T) {
	t.Parallel()
	ends := map[string]func(){"panic": func() { panic("after") }, "Goexit": runtime.Goexit}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			after := funcsT{AfterResponse: func(_ ctxT, call *callT) {
				call.Defer(func() { tr.add("DF"); end() })
				end()
			}}
			stack, log := tr.three(t, after, after, after)
			done := make(chan struct{})
			go func() {
				defer close(done)
				(&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
			}()
			<-done
			wantTrace(t, tr, "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 RX3 TX3 TX2 TX1 RS3 RS2 RS1 AR3 AR2 AR1 DF DF DF")
			if name == "panic" {
				wantText(t, log.String(), "panic in hook H1", "panic in hook H2", "panic in hook H3", "panic: after")
			}
		})
	}
}

// TestGoexitAnywhere: a goroutine that a phase ends still gets its AfterResponse,
// because the adapter ends the call in a deferred call.
func TestGoexitAnywhere(t *testing.T) {
	t.Parallel()
	exit := func() { runtime.Goexit() }
	tests := map[string]struct {
		h2   funcsT
		want string
	}{
		"BeforeRequest": {funcsT{BeforeRequest: func(ctx ctxT, _ *callT) (ctxT, error) { exit(); return ctx, nil }}, "BR1 BR2 AR1"},
		"BeforeHandler": {funcsT{BeforeHandler: func(ctx ctxT, _ *callT, _ *methT) (ctxT, error) { exit(); return ctx, nil }},
			"BR1 BR2 BR3 BH1 BH2 AR3 AR2 AR1"},
		"WrapHandler": {funcsT{WrapHandler: func(interceptor.Handler) interceptor.Handler {
			return func(ctxT, *callT) error { exit(); return nil }
		}}, "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 RX3 AR3 AR2 AR1"},
		"BeforeResponse": {funcsT{BeforeResponse: func(ctxT, *callT) error { exit(); return nil }},
			"BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 RX3 TX3 TX2 TX1 RS3 RS2 AR3 AR2 AR1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, _ := tr.three(t, funcsT{}, test.h2, funcsT{})
			done := make(chan struct{})
			go func() {
				defer close(done)
				(&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
			}()
			<-done
			wantTrace(t, tr, test.want)
		})
	}
}

// TestEndOnce: ending a call again does nothing, and neither does failing it.
func TestEndOnce(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, log := build(t, tr.hook("1", funcsT{}))
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
	want := tr.String()
	ops.End(o.call, 500)
	_ = ops.Fail(o.call, errors.New("too late"), false)
	if _, err := ops.Send(o.call, text("late")); err == nil {
		t.Error("Send after the end succeeded")
	}
	if err := ops.Receive(o.call, text("late"), -1); err == nil {
		t.Error("Receive after the end succeeded")
	}
	wantTrace(t, tr, want)
	wantText(t, log.String(), "too late")
	if o.call.Err() != nil || o.call.HTTPStatus() != 0 || !ops.Ended(o.call) {
		t.Errorf("outcome changed after the end: %v, %d", o.call.Err(), o.call.HTTPStatus())
	}
}

// late is a hook whose phases return when they are let, as those of a stream may that
// another goroutine has ended.
type late struct {
	interceptor.Base
	in, goOn chan struct{}
	result   error // of the message phases
}

func (late) Decides() {}

func (l late) wait() {
	l.in <- struct{}{}
	<-l.goOn
}

func (l late) OnReceive(ctxT, *callT, any) error { l.wait(); return l.result }
func (l late) OnSend(ctxT, *callT, any) error    { l.wait(); return l.result }
func (l late) OnError(ctxT, *callT, error) error { l.wait(); return errDenied }

// TestOutcomeStands: what a phase returns after the call has ended on another
// goroutine changes nothing that observers have read. A failure is reported.
func TestOutcomeStands(t *testing.T) {
	t.Parallel()
	first := errors.New("first")
	for name, test := range map[string]struct {
		result   error
		phase    func(*callT)
		reported string
	}{
		"a refused message": {result: errDenied, phase: func(c *callT) { _ = ops.Receive(c, text("late"), -1) }},
		"a request":         {phase: func(c *callT) { _ = ops.Receive(c, text("late"), -1) }},
		"a response":        {phase: func(c *callT) { _, _ = ops.Answer(c, text("late"), nil) }},
		"another failure": {reported: errDenied.Error(), phase: func(c *callT) {
			if err := ops.Fail(c, first, false); !errors.Is(err, first) || errors.Is(err, errDenied) {
				t.Errorf("the failure to send is %v, want the one that the call has ended with", err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hook := late{in: make(chan struct{}), goOn: make(chan struct{}), result: test.result}
			stack, log := build(t, hook)
			c := new(callT)
			ops.Begin(c, stack, t.Context(), &wire{kind: driver.GRPC})
			if !ops.Request(c) || !ops.Resolve(c, newRPC(interceptor.Unary), "") {
				t.Fatal("the call was rejected")
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				test.phase(c)
			}()
			<-hook.in
			ops.End(c, 0)
			failure, denied := c.Err(), c.Denied()
			close(hook.goOn)
			<-done
			if now := c.Err(); !errors.Is(now, failure) || errors.Is(now, errDenied) || c.Denied() != denied || denied {
				t.Errorf("after the end the failure is %v, denied %v; it was %v, %v", now, c.Denied(), failure, denied)
			}
			if c.Request() != nil || c.Response() != nil {
				t.Errorf("after the end the call has the messages %v and %v", c.Request(), c.Response())
			}
			wantText(t, log.String(), test.reported)
		})
	}
}

// TestDefer: last in first out, after every AfterResponse, also for a hook that
// was never entered, and at once when the call is over.
func TestDefer(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, _ := tr.three(t, funcsT{}, funcsT{BeforeRequest: func(_ ctxT, call *callT) (ctxT, error) {
		call.Defer(func() { tr.add("a"); call.Defer(func() { tr.add("c") }) })
		call.Defer(func() { tr.add("b"); panic("cleanup") })
		call.Defer(nil)
		return nil, errDenied
	}}, funcsT{AfterResponse: nil})
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
	wantTrace(t, tr, "BR1 BR2 OE1 RS1 AR1 b a c")
	o.call.Defer(func() { tr.add("d") })
	wantTrace(t, tr, "BR1 BR2 OE1 RS1 AR1 b a c d")
}

// TestResolveIsForOneMethod covers rule 7.
func TestResolveIsForOneMethod(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, log := build(t, tr.hook("1", funcsT{}))
	c := new(callT)
	ops.Begin(c, stack, context.Background(), &wire{kind: driver.HTTP})
	first, second := ops.NewRoute("GET /a"), newRPC(interceptor.Unary)
	if !ops.Request(c) || !ops.Resolve(c, first, "/a") || !ops.Resolve(c, first, "/a") {
		t.Fatal("the same method again was refused")
	}
	wantTrace(t, tr, "BR1 BH1")
	if ops.Resolve(c, second, "") {
		t.Error("another method was accepted")
	}
	wantText(t, log.String(), "decided for GET /a", second.Name(), "StripPrefix")
	if c.Code() != codes.Internal || c.Method() != first || c.Route() != "/a" {
		t.Errorf("%v %v %q; want INTERNAL for the first method", c.Code(), c.Method().Name(), c.Route())
	}
	if ops.Resolve(c, first, "/a") {
		t.Error("a failed call was resolved")
	}
}

// TestPanicNamesTheHook: whichever hook panics, early or late, its name is in the error.
func TestPanicNamesTheHook(t *testing.T) {
	t.Parallel()
	const hooks = 4
	for at := range hooks {
		for phase, f := range map[string]funcsT{
			"BeforeRequest": {BeforeRequest: func(ctxT, *callT) (ctxT, error) { panic("x") }},
			"BeforeHandler": {BeforeHandler: func(ctxT, *callT, *methT) (ctxT, error) { panic("x") }},
		} {
			t.Run(fmt.Sprint(phase, " of hook ", at), func(t *testing.T) {
				t.Parallel()
				method := newRPC(interceptor.Unary)
				list := make([]interceptor.Hook, hooks)
				for i := range list {
					own := funcsT{}
					if i == at {
						own = f
					}
					list[i] = interceptor.FromFuncs(fmt.Sprint("hook ", i), own)
					if i%2 == 1 { // these join when the method is known
						list[i] = interceptor.When(interceptor.Methods(method.Name()), list[i])
					}
				}
				stack, _ := build(t, list...)
				o := (&rig{stack: stack, method: method}).run()
				var p *interceptor.PanicError
				if !errors.As(o.call.Err(), &p) || p.Hook != fmt.Sprint("hook ", at) {
					t.Errorf("the failure is %v, want the panic of hook %d", o.call.Err(), at)
				}
			})
		}
	}
}
