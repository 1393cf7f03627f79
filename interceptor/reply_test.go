package interceptor_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// TestReply: every place that may answer instead of the handler, and what runs
// then.
func TestReply(t *testing.T) {
	t.Parallel()
	around := func(own func(interceptor.Handler) interceptor.Handler) funcsT { return funcsT{WrapHandler: own} }
	const down, tail = "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 RX3 ", "TX3 TX2 TX1 RS3 RS2 RS1 AR3 AR2 AR1"
	tests := []struct {
		name, want string
		reached    bool
		h2         funcsT
	}{
		{"BeforeRequest", "BR1 BR2 TX2 TX1 RS2 RS1 AR2 AR1", false, funcsT{
			BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) { return ctx, call.Reply(text("reply")) }}},
		{"BeforeHandler", "BR1 BR2 BR3 BH1 BH2 " + tail, false, funcsT{
			BeforeHandler: func(ctx ctxT, call *callT, _ *methT) (ctxT, error) { return ctx, call.Reply(text("reply")) }}},
		{"OnReceive", "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 " + tail, false, funcsT{
			OnReceive: func(_ ctxT, call *callT, _ any) error { return call.Reply(text("reply")) }}},
		{"WrapHandler", down + tail, false, around(func(interceptor.Handler) interceptor.Handler {
			return func(_ ctxT, call *callT) error { return call.Reply(text("reply")) }
		})},
		{"BeforeResponse", down + "TX3 TX2 TX1 RS3 RS2 TX3 TX2 TX1 RS1 AR3 AR2 AR1", true, funcsT{
			BeforeResponse: func(_ ctxT, call *callT) error { return call.Reply(text("reply")) }}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, log := tr.three(t, funcsT{}, test.h2, funcsT{})
			o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
			wantTrace(t, tr, test.want)
			if o.text() != "reply" || o.err != nil || o.reached != test.reached || o.call.Code() != codes.OK {
				t.Errorf("got %s, err %v, reached %v, code %v, log %s", o.text(), o.err, o.reached, o.call.Code(), log)
			}
			if m, _ := o.call.Response().(*wrapperspb.StringValue); m.GetValue() != "reply" {
				t.Errorf("Response is %v", o.call.Response())
			}
		})
	}
}

// TestReplyOnStreams: a reply is the whole answer of a stream, sent once.
func TestReplyOnStreams(t *testing.T) {
	t.Parallel()
	greet := func(s *stream) error {
		if _, err := s.recv(); err != nil {
			return err
		}
		for range 3 {
			if err := s.send(text("handler")); err != nil {
				return err
			}
		}
		return nil
	}
	refuse := func(ctxT, *callT) error { return errDenied }
	answer := func(_ ctxT, call *callT, _ error) error { return call.Reply(text("reply")) }
	silent := func(*stream) error { return nil }
	tests := []struct {
		name   string
		kind   interceptor.Kind
		h1, h2 funcsT
		stream func(*stream) error
	}{
		{"BeforeHandler", interceptor.BidiStream, funcsT{}, funcsT{BeforeHandler: func(ctx ctxT, call *callT, _ *methT) (ctxT, error) {
			return ctx, call.Reply(text("reply"))
		}}, greet},
		{"OnReceive", interceptor.ServerStream, funcsT{}, funcsT{OnReceive: func(_ ctxT, call *callT, _ any) error {
			return call.Reply(text("reply"))
		}}, greet},
		{"WrapHandler", interceptor.BidiStream, funcsT{}, funcsT{WrapHandler: func(interceptor.Handler) interceptor.Handler {
			return func(_ ctxT, call *callT) error { return call.Reply(text("reply")) }
		}}, greet},
		{"BeforeResponse", interceptor.BidiStream, funcsT{}, funcsT{BeforeResponse: func(_ ctxT, call *callT) error {
			return call.Reply(text("reply"))
		}}, greet},
		{"BeforeResponse, no messages", interceptor.BidiStream, funcsT{}, funcsT{BeforeResponse: func(_ ctxT, call *callT) error {
			return call.Reply(text("reply"))
		}}, silent},
		{"BeforeResponse refuses, OnError recovers", interceptor.BidiStream, funcsT{OnError: answer}, funcsT{BeforeResponse: refuse}, greet},
		{"the same, no messages", interceptor.BidiStream, funcsT{OnError: answer}, funcsT{BeforeResponse: refuse}, silent},
		{"OnReceive refuses, OnError recovers", interceptor.BidiStream, funcsT{OnError: answer},
			funcsT{OnReceive: func(ctxT, *callT, any) error { return errDenied }}, greet},
		{"handler fails, OnError recovers", interceptor.BidiStream, funcsT{OnError: answer}, funcsT{}, func(*stream) error { return errDenied }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, log := build(t, tr.hook("1", test.h1), tr.hook("2", test.h2))
			o := (&rig{stack: stack, method: newRPC(test.kind), stream: test.stream}).run()
			if o.text() != "reply" || o.err != nil || o.call.Code() != codes.OK {
				t.Errorf("got %s, err %v, code %v; want the reply alone; log %s; trace %s", o.text(), o.err, o.call.Code(), log, tr)
			}
			counts := map[string]int{}
			for _, s := range tr.steps {
				counts[s]++
			}
			sends := 2 // the handler's message, and the reply once
			if strings.Contains(test.name, "no messages") {
				sends = 1
			}
			if counts["TX1"] > sends || counts["RS1"] != 1 || counts["AR1"] != 1 {
				t.Errorf("phases ran too often: %s", tr)
			}
		})
	}
}

// TestReplyMisuse: what may not answer is INTERNAL, says who and what to do, and
// does not pass even when the hook drops the error.
func TestReplyMisuse(t *testing.T) {
	t.Parallel()
	rpc, route := newRPC(interceptor.Unary), ops.NewRoute("GET /x")
	wrong := wrapperspb.Int32(1)
	inBH := func(do func(*callT) error) funcsT {
		return funcsT{BeforeHandler: func(ctx ctxT, call *callT, _ *methT) (ctxT, error) { _ = do(call); return ctx, nil }}
	}
	reply := func(c *callT) error { return c.Reply(text("x")) }
	tests := []struct {
		name   string
		method *methT
		kind   driver.Kind
		h2     funcsT
		want   []string
	}{
		{"wrong type", rpc, driver.GRPC, inBH(func(c *callT) error { return c.Reply(wrong) }),
			[]string{"hook H2", "google.protobuf.Int32Value", "google.protobuf.StringValue"}},
		{"not a message", rpc, driver.GRPC, inBH(func(c *callT) error { return c.Reply("text") }),
			[]string{"hook H2", "string", "google.protobuf.StringValue"}},
		{"nil", rpc, driver.GRPC, inBH(func(c *callT) error { return c.Reply(nil) }), []string{"hook H2", "Reply(nil)"}},
		{"wrong type before the method is known", rpc, driver.GRPC, funcsT{BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			return ctx, call.Reply(wrong)
		}}, []string{"google.protobuf.Int32Value", "google.protobuf.StringValue"}},
		{"Reply on a plain route", route, driver.HTTP, inBH(reply), []string{"hook H2", "GET /x", "ReplyHTTP"}},
		{"ReplyHTTP on gRPC", rpc, driver.GRPC, inBH(func(c *callT) error { return c.ReplyHTTP(200, "", nil) }),
			[]string{"hook H2", "use Reply"}},
		{"ReplyHTTP 404", route, driver.HTTP, inBH(func(c *callT) error { return c.ReplyHTTP(404, "", nil) }),
			[]string{"hook H2", "404", "NewError"}},
		{"ReplyHTTP 100", route, driver.HTTP, inBH(func(c *callT) error { return c.ReplyHTTP(100, "", nil) }), []string{"hook H2", "100"}},
		{"in OnSend", rpc, driver.GRPC, funcsT{OnSend: func(_ ctxT, c *callT, _ any) error { _ = reply(c); return nil }},
			[]string{"hook H2", "OnSend"}},
		{"in WrapHandler after next", rpc, driver.GRPC, funcsT{WrapHandler: func(next interceptor.Handler) interceptor.Handler {
			return func(ctx ctxT, c *callT) error { err := next(ctx, c); _ = reply(c); return err }
		}}, []string{"hook H2", "WrapHandler"}},
		{"in WrapHandler before next", rpc, driver.GRPC, funcsT{WrapHandler: func(next interceptor.Handler) interceptor.Handler {
			return func(ctx ctxT, c *callT) error { _ = reply(c); return next(ctx, c) }
		}}, []string{"hook H2", "next was called after Reply"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, log := tr.three(t, funcsT{}, test.h2, funcsT{})
			r := &rig{stack: stack, method: test.method, kind: test.kind}
			if test.method == route {
				r.plain = func(w *plainWriter) error { w.writeHeader(200); return nil }
			}
			o := r.run()
			if o.call.Code() != codes.Internal || len(o.sent) != 0 || interceptor.StatusOf(o.err).Message() != "internal error" {
				t.Errorf("code %v, sent %v; want a bland INTERNAL and nothing sent", o.call.Code(), o.sent)
			}
			wantText(t, log.String(), test.want...)
		})
	}
}

// TestReplyByHandler: the handler answers by returning; Reply there is a bug, and
// not one of the last hook that ran.
func TestReplyByHandler(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*rig{
		"unary": {method: newRPC(interceptor.Unary)},
		"stream": {method: newRPC(interceptor.ServerStream), stream: func(s *stream) error {
			_, err := s.recv()
			_ = s.call.Reply(text("x"))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, log := build(t, tr.hook("1", funcsT{}))
			r.stack = stack
			r.unary = func(ctx ctxT, _ any) (any, error) {
				call, _ := interceptor.CallFrom(ctx)
				_ = call.Reply(text("x"))
				return text("out"), nil
			}
			if o := r.run(); o.call.Code() != codes.Internal || len(o.sent) != 0 {
				t.Errorf("code %v, sent %d; want INTERNAL", o.call.Code(), len(o.sent))
			}
			wantText(t, log.String(), "crosscut: a reply in the handler")
		})
	}
}

type decider struct {
	interceptor.Base
	err error
}

func (*decider) Name() string { return "gate" }
func (*decider) Decides()     {}
func (d *decider) BeforeHandler(ctx ctxT, _ *callT, _ *methT) (ctxT, error) {
	return ctx, d.err
}

// TestReplyAndDeciders: content waits for the last Decider; bodyless answers do
// not.
func TestReplyAndDeciders(t *testing.T) {
	t.Parallel()
	content := func(c *callT) error { return c.ReplyHTTP(200, "text/plain", []byte("secret")) }
	bodyless := func(c *callT) error { return c.ReplyHTTP(http.StatusNoContent, "", nil) }
	early := func(do func(*callT) error) funcsT {
		return funcsT{BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) { _ = do(call); return ctx, nil }}
	}
	late := func(do func(*callT) error) funcsT {
		return funcsT{BeforeHandler: func(ctx ctxT, call *callT, _ *methT) (ctxT, error) { return ctx, do(call) }}
	}
	onError := func(do func(*callT) error) funcsT {
		return funcsT{OnError: func(_ ctxT, call *callT, _ error) error { return do(call) }}
	}
	tests := []struct {
		name         string
		outer, inner funcsT
		gate         error
		code         codes.Code
		denied       bool
	}{
		{"content in BeforeRequest", early(content), funcsT{}, nil, codes.Internal, false},
		{"bodyless in BeforeRequest", early(bodyless), funcsT{}, nil, codes.OK, false},
		{"content in BeforeHandler, before", late(content), funcsT{}, nil, codes.Internal, false},
		{"content in BeforeHandler, after", funcsT{}, late(content), nil, codes.OK, false},
		{"recovery of a denied call", onError(content), funcsT{}, errDenied, codes.Internal, true},
		{"bodyless recovery of a denied call", onError(bodyless), funcsT{}, errDenied, codes.OK, true},
		{"denied", funcsT{}, funcsT{}, errDenied, codes.PermissionDenied, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, log := build(t, tr.hook("1", test.outer), &decider{err: test.gate}, tr.hook("2", test.inner))
			o := (&rig{stack: stack, method: ops.NewRoute("/x"), kind: driver.HTTP, plain: func(w *plainWriter) error {
				w.writeHeader(200)
				return nil
			}}).run()
			if o.call.Code() != test.code || o.call.Denied() != test.denied || o.reached {
				t.Errorf("code %v, denied %v, reached %v; want %v, %v, false", o.call.Code(), o.call.Denied(), o.reached, test.code, test.denied)
			}
			if test.code == codes.Internal {
				wantText(t, log.String(), "hook H1", "gate")
			}
		})
	}
}

// TestDenied: a Decider that panics, answers or returns a bad context has not
// agreed either.
func TestDenied(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(ctxT, *callT) (ctxT, error){
		"panics":      func(ctxT, *callT) (ctxT, error) { panic("x") },
		"nil context": func(ctxT, *callT) (ctxT, error) { return nil, nil },
		"redirects":   func(ctx ctxT, c *callT) (ctxT, error) { return ctx, c.ReplyHTTP(http.StatusFound, "", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack, _ := build(t, &funcDecider{decide: decide})
			o := (&rig{stack: stack, method: ops.NewRoute("/x"), kind: driver.HTTP, plain: func(*plainWriter) error { return nil }}).run()
			if !o.call.Denied() || o.reached {
				t.Errorf("denied %v, reached %v; want true, false", o.call.Denied(), o.reached)
			}
		})
	}
}

type funcDecider struct {
	interceptor.Base
	decide func(ctxT, *callT) (ctxT, error)
}

func (*funcDecider) Decides() {}
func (d *funcDecider) BeforeHandler(ctx ctxT, call *callT, _ *methT) (ctxT, error) {
	return d.decide(ctx, call)
}

// TestReplyThatCannotBeEncoded: it is not a success (rule 13).
func TestReplyThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	for name, encode := range map[string]func(any) error{
		"error": func(any) error { return interceptor.NewError(codes.Internal, "cannot marshal") },
		"panic": func(any) error { panic("marshal") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, _ := build(t, tr.hook("1", funcsT{}))
			o := (&rig{stack: stack, method: newRPC(interceptor.Unary), encode: encode}).run()
			wantTrace(t, tr, "BR1 BH1 RX1 TX1 OE1 RS1 AR1")
			if o.call.Code() != codes.Internal || len(o.sent) != 0 {
				t.Errorf("code %v, %d sent; want INTERNAL and nothing", o.call.Code(), len(o.sent))
			}
		})
	}
}

// TestReplyErrorWins: a reply of a phase that then fails is void.
func TestReplyErrorWins(t *testing.T) {
	t.Parallel()
	stack, _ := build(t, interceptor.FromFuncs("h", funcsT{BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
		return ctx, errors.Join(call.Reply(text("x")), errDenied)
	}}))
	if o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run(); o.call.Code() != codes.PermissionDenied || len(o.sent) != 0 {
		t.Errorf("code %v, sent %d; want the rejection", o.call.Code(), len(o.sent))
	}
}

// TestReplyAfterCommit returns ErrCommitted.
func TestReplyAfterCommit(t *testing.T) {
	t.Parallel()
	var got error
	stack, _ := build(t, interceptor.FromFuncs("h", funcsT{AfterResponse: func(_ ctxT, call *callT) { got = call.Reply(text("x")) }}))
	(&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
	if !errors.Is(got, interceptor.ErrCommitted) {
		t.Errorf("got %v, want ErrCommitted", got)
	}
}
