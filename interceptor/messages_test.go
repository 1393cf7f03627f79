package interceptor_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// TestRefusedMessage covers rule 9: the message is cleared, not delivered, and its
// error is what every later receive and send and the call itself end with, even
// if the handler swallows it.
func TestRefusedMessage(t *testing.T) {
	t.Parallel()
	deny := func(_ ctxT, _ *callT, msg any) error {
		if msg.(*wrapperspb.StringValue).GetValue() == "bad" {
			return errDenied
		}
		return nil
	}
	panics := func(_ ctxT, call *callT, msg any) error {
		if deny(nil, call, msg) != nil {
			panic("bad message")
		}
		return nil
	}
	for name, check := range map[string]func(ctxT, *callT, any) error{"error": deny, "panic": panics} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[string]codes.Code{"error": codes.PermissionDenied, "panic": codes.Internal}[name]
			tr := &trace{}
			stack, _ := tr.three(t, funcsT{}, funcsT{OnReceive: check}, funcsT{})
			o := (&rig{stack: stack, method: newRPC(interceptor.BidiStream), request: []proto.Message{text("good"), text("bad"), text("good")},
				stream: func(s *stream) error {
					if m, err := s.recv(); err != nil || m.GetValue() != "good" {
						t.Errorf("first message: %v %v", m, err)
					}
					m, err := s.recv()
					if interceptor.StatusOf(err).Code() != want || m.GetValue() != "" {
						t.Errorf("refused message: %q, %v; want it cleared, and the error", m.GetValue(), err)
					}
					if m, again := s.recv(); again != err || m.GetValue() != "" { //nolint:errorlint // the very error
						t.Errorf("next receive: %q, %v; want %v", m.GetValue(), again, err)
					}
					if again := s.send(text("out")); again != err { //nolint:errorlint // the very error
						t.Errorf("next send: %v; want %v", again, err)
					}
					return nil // swallowed
				}}).run()
			wantTrace(t, tr, "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 RX3 RX1 RX2 OE3 OE2 OE1 RS3 RS2 RS1 AR3 AR2 AR1")
			if o.call.Code() != want || len(o.sent) != 0 || o.call.Received().Messages != 2 {
				t.Errorf("code %v, %d sent, %d received; want %v, 0, 2", o.call.Code(), len(o.sent), o.call.Received().Messages, want)
			}
		})
	}
}

// TestRefusedUnary: the handler of a unary call never runs with a refused message.
func TestRefusedUnary(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, _ := tr.three(t, funcsT{}, funcsT{OnReceive: func(ctxT, *callT, any) error { return errDenied }}, funcsT{})
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
	wantTrace(t, tr, "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 OE3 OE2 OE1 RS3 RS2 RS1 AR3 AR2 AR1")
	if o.reached || o.call.Code() != codes.PermissionDenied || o.call.Request() != nil {
		t.Errorf("reached %v, code %v, request %v", o.reached, o.call.Code(), o.call.Request())
	}
}

// TestRefusedResponse: OnSend's refusal stands as well.
func TestRefusedResponse(t *testing.T) {
	t.Parallel()
	for name, r := range shapes() {
		if r.plain != nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			r.stack, _ = tr.three(t, funcsT{}, funcsT{OnSend: func(ctxT, *callT, any) error { return errDenied }}, funcsT{})
			if r.stream != nil {
				r.stream = func(s *stream) error {
					_, _ = s.recv()
					first := s.send(text("a"))
					if second := s.send(text("b")); !errors.Is(first, errDenied) || second != first { //nolint:errorlint // the very error
						t.Errorf("sends gave %v and %v; want the refusal twice", first, second)
					}
					return nil
				}
			}
			o := r.run()
			if o.call.Code() != codes.PermissionDenied || len(o.sent) != 0 || tr.has("TX1") || !tr.has("OE1") {
				t.Errorf("code %v, %d sent, trace %s", o.call.Code(), len(o.sent), tr)
			}
		})
	}
}

// jsonMessage is a message of a codec that knows no protobuf.
type jsonMessage struct{ Secret string }

// TestForeignMessageIsCleared too.
func TestForeignMessageIsCleared(t *testing.T) {
	t.Parallel()
	stack, _ := build(t, interceptor.FromFuncs("deny", funcsT{OnReceive: func(ctxT, *callT, any) error { return errDenied }}))
	c := new(callT)
	ops.Begin(c, stack, t.Context(), &wire{kind: driver.GRPC})
	ops.Request(c)
	ops.Resolve(c, newRPC(interceptor.Unary), "")
	m := &jsonMessage{"x"}
	if err := ops.Receive(c, m, 3); err == nil || m.Secret != "" {
		t.Errorf("err %v, message %+v; want it refused and cleared", err, m)
	}
	if err := ops.Receive(c, (*wrapperspb.StringValue)(nil), 3); err == nil {
		t.Error("a typed nil message was accepted")
	}
	if got := c.Received(); got.Messages != 1 || got.Bytes != 3 {
		t.Errorf("received %+v", got)
	}
}

func await(then func(*callT) error) funcsT {
	return funcsT{
		BeforeHandler: func(ctx ctxT, call *callT, _ *methT) (ctxT, error) { call.AwaitMessage(); return ctx, nil },
		OnReceive:     func(_ ctxT, call *callT, _ any) error { return then(call) },
	}
}

// TestAwaitMessage: nothing happens before the hook has agreed to a message.
func TestAwaitMessage(t *testing.T) {
	t.Parallel()
	agree := func(*callT) error { return nil }
	deny := func(*callT) error { return errDenied }
	tests := []struct {
		name   string
		then   func(*callT) error
		in     []proto.Message
		stream func(*stream) error
		code   codes.Code
		sent   int
	}{
		{"agreed", agree, []proto.Message{text("a")}, func(s *stream) error { _, _ = s.recv(); return s.send(text("b")) }, codes.OK, 1},
		{"refused", deny, []proto.Message{text("a")}, func(s *stream) error { _, _ = s.recv(); _ = s.send(text("b")); return nil }, codes.PermissionDenied, 0},
		{"greets first, swallows the error", agree, []proto.Message{text("a")}, func(s *stream) error {
			_ = s.send(text("b"))
			_, _ = s.recv()
			return nil
		}, codes.Internal, 0},
		{"no message", agree, []proto.Message{}, func(s *stream) error {
			if _, err := s.recv(); err != io.EOF { //nolint:errorlint // EOF itself
				t.Errorf("got %v", err)
			}
			return nil
		}, codes.InvalidArgument, 0},
		{"handler fails by itself", agree, []proto.Message{}, func(*stream) error { return errDenied }, codes.PermissionDenied, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stack, _ := build(t, interceptor.FromFuncs("await", await(test.then)))
			o := (&rig{stack: stack, method: newRPC(interceptor.BidiStream), request: test.in, stream: test.stream}).run()
			if o.call.Code() != test.code || len(o.sent) != test.sent {
				t.Errorf("code %v, %d sent; want %v, %d", o.call.Code(), len(o.sent), test.code, test.sent)
			}
		})
	}
}

// TestAwaitMessageUnary: a unary handler does not start on a path that shows no
// messages.
func TestAwaitMessageUnary(t *testing.T) {
	t.Parallel()
	stack, _ := build(t, interceptor.FromFuncs("await", await(func(*callT) error { return nil })))
	c := new(callT)
	ops.Begin(c, stack, t.Context(), &wire{kind: driver.GRPC, invoke: func(ctxT) error { t.Error("the handler ran"); return nil }})
	if !ops.Request(c) || !ops.Resolve(c, newRPC(interceptor.Unary), "") || !ops.Needs(c).Messages || !ops.Waiting(c) {
		t.Fatal("the call did not get to its handler")
	}
	if _, err := ops.Answer(c, text("out"), ops.Handle(c, ops.Inner(c))); interceptor.StatusOf(err).Code() != codes.InvalidArgument {
		t.Errorf("got %v, want InvalidArgument", err)
	}
}

// TestAwaitMessageAndReplies: nobody else answers before the waiting hook agreed.
func TestAwaitMessageAndReplies(t *testing.T) {
	t.Parallel()
	reply := func(c *callT) error { return c.Reply(text("reply")) }
	inBH := funcsT{BeforeHandler: func(ctx ctxT, c *callT, _ *methT) (ctxT, error) { _ = reply(c); return ctx, nil }}
	inRX := funcsT{OnReceive: func(_ ctxT, c *callT, _ any) error { return reply(c) }}
	inOE := funcsT{OnError: func(_ ctxT, c *callT, _ error) error { return reply(c) }}
	agree := func(*callT) error { return nil }
	tests := []struct {
		name         string
		outer, inner funcsT
		then         func(*callT) error
		code         codes.Code
	}{
		{"inner in BeforeHandler", funcsT{}, inBH, agree, codes.Internal},
		{"outer in BeforeHandler", inBH, funcsT{}, agree, codes.OK},
		{"inner in OnReceive", funcsT{}, inRX, agree, codes.OK},
		{"outer in OnReceive", inRX, funcsT{}, agree, codes.Internal},
		{"itself in OnReceive", funcsT{}, funcsT{}, reply, codes.OK},
		{"recovery of a refusal", inOE, funcsT{}, func(*callT) error { return errDenied }, codes.Internal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stack, log := build(t, interceptor.FromFuncs("outer", test.outer), interceptor.FromFuncs("waiting", await(test.then)), interceptor.FromFuncs("inner", test.inner))
			o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
			if o.call.Code() != test.code || o.reached {
				t.Errorf("code %v, reached %v; want %v, false", o.call.Code(), o.reached, test.code)
			}
			if test.code == codes.Internal {
				wantText(t, log.String(), "before waiting, which called AwaitMessage")
			}
		})
	}
}

// TestAwaitMessageMisuse: the wrong phase, the wrong hook, the wrong method.
func TestAwaitMessageMisuse(t *testing.T) {
	t.Parallel()
	wait := func(ctx ctxT, call *callT, _ *methT) (ctxT, error) { call.AwaitMessage(); return ctx, nil }
	receive := func(ctxT, *callT, any) error { return nil }
	tests := map[string]struct {
		hook  funcsT
		shape string
		want  []string
	}{
		"BeforeRequest": {funcsT{OnReceive: receive, BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			call.AwaitMessage()
			return ctx, nil
		}}, "unary", []string{"hook h", "outside BeforeHandler"}},
		"no OnReceive":        {funcsT{BeforeHandler: wait}, "unary", []string{"hook h", "MessageHook"}},
		"OnSend alone":        {funcsT{BeforeHandler: wait, OnSend: receive}, "unary", []string{"hook h", "MessageHook"}},
		"on a plain route":    {funcsT{BeforeHandler: wait, OnReceive: receive}, "plain", []string{"hook h", "plain route /x"}},
		"while it is sent":    {funcsT{OnReceive: receive, OnSend: func(_ ctxT, call *callT, _ any) error { call.AwaitMessage(); return nil }}, "stream", []string{"hook h"}},
		"while it's received": {funcsT{OnReceive: func(_ ctxT, call *callT, _ any) error { call.AwaitMessage(); return nil }}, "stream", []string{"hook h"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := shapes()[test.shape]
			stack, log := build(t, interceptor.FromFuncs("h", test.hook))
			r.stack = stack
			if o := r.run(); o.call.Code() != codes.Internal || len(o.sent) != 0 {
				t.Errorf("code %v, %d sent; want INTERNAL", o.call.Code(), len(o.sent))
			}
			wantText(t, log.String(), test.want...)
		})
	}
}

// TestMessageFacts: the single message of a direction is a fact of the call.
func TestMessageFacts(t *testing.T) {
	t.Parallel()
	echo := func(s *stream) error { m, _ := s.recv(); return s.send(m) }
	for _, kind := range []interceptor.Kind{interceptor.Unary, interceptor.ClientStream, interceptor.ServerStream, interceptor.BidiStream} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			stack, _ := build(t)
			r := &rig{stack: stack, method: newRPC(kind)}
			if kind != interceptor.Unary {
				r.stream = echo
			}
			o := r.run()
			one := strings.Contains(kind.String(), "unary") || kind == interceptor.ServerStream
			if (o.call.Request() != nil) != one {
				t.Errorf("Request is %v", o.call.Request())
			}
			one = kind == interceptor.Unary || kind == interceptor.ClientStream
			if (o.call.Response() != nil) != one {
				t.Errorf("Response is %v", o.call.Response())
			}
			if got := o.call.Sent(); got.Messages != 1 || got.Bytes != -1 {
				t.Errorf("Sent is %+v", got)
			}
		})
	}
}
