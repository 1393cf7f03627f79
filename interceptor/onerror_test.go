package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// sliceError is an error type that == cannot compare.
type sliceError struct{ parts []string }

func (e sliceError) Error() string { return strings.Join(e.parts, " ") }

// holder is comparable as a type but may hold what is not.
type holder struct{ v any }

func (holder) Error() string { return "holder" }

// TestOnErrorChain: what one OnError does to the outcome, and what the next hook
// out sees (rule 5). H3 is innermost, the handler returns start.
func TestOnErrorChain(t *testing.T) {
	t.Parallel()
	newer := interceptor.NewError(codes.NotFound, "newer")
	keep := func(_ ctxT, _ *callT, err error) error { return err }
	tests := []struct {
		name    string
		start   error
		h2      func(ctxT, *callT, error) error
		code    codes.Code
		text    string // the client's message
		trace   string
		reports []string
	}{
		{"keep", errDenied, keep, codes.PermissionDenied, "denied", "OE3 OE2 OE1", nil},
		{"replace", errDenied, func(ctxT, *callT, error) error { return newer }, codes.NotFound, "newer", "OE3 OE2 OE1", nil},
		{"replace by an untyped error", errDenied, func(ctxT, *callT, error) error { return errors.New("secret") },
			codes.Unknown, "internal error", "OE3 OE2 OE1", nil},
		{"replace a context error by an untyped one", context.Canceled, func(ctxT, *callT, error) error { return errors.New("secret") },
			codes.Unknown, "internal error", "OE3 OE2 OE1", nil},
		{"wrap", errDenied, func(_ ctxT, _ *callT, err error) error { return fmt.Errorf("secret: %w", err) },
			codes.PermissionDenied, "denied", "OE3 OE2 OE1", nil},
		{"nil without Reply", errDenied, func(ctxT, *callT, error) error { return nil },
			codes.PermissionDenied, "denied", "OE3 OE2 OE1", []string{"hook H2", "OnError returned nil without Reply"}},
		{"Reply but an error", errDenied, func(_ ctxT, call *callT, err error) error { _ = call.Reply(text("x")); return err },
			codes.PermissionDenied, "denied", "OE3 OE2 OE1", nil},
		{"recover", errDenied, func(_ ctxT, call *callT, _ error) error { return call.Reply(text("x")) }, codes.OK, "", "OE3 OE2", nil},
		{"recover with the wrong type", errDenied, func(_ ctxT, call *callT, _ error) error { _ = call.Reply("x"); return nil },
			codes.Internal, "internal error", "OE3 OE2 OE1", []string{"hook H2", "Reply with a string"}},
		{"panic", errDenied, func(ctxT, *callT, error) error { panic("boom") },
			codes.Internal, "internal error", "OE3 OE2 OE1", []string{"panic in hook H2: boom"}},
		{"panic after Reply", errDenied, func(_ ctxT, call *callT, _ error) error { _ = call.Reply(text("x")); panic("boom") },
			codes.Internal, "internal error", "OE3 OE2 OE1", []string{"panic in hook H2: boom"}},
		{"an error that is OK", errDenied, func(ctxT, *callT, error) error { return interceptor.NewError(codes.OK, "fine") },
			codes.Internal, "internal error", "OE3 OE2 OE1", nil},
		{"an error with HTTP 200", errDenied, func(ctxT, *callT, error) error {
			return interceptor.NewError(codes.NotFound, "fine", interceptor.WithHTTPStatus(200))
		}, codes.Internal, "internal error", "OE3 OE2 OE1", nil},
		{"uncomparable, kept", sliceError{[]string{"a"}}, keep, codes.Unknown, "internal error", "OE3 OE2 OE1", nil},
		{"uncomparable inside, kept", holder{[]int{1}}, keep, codes.Unknown, "internal error", "OE3 OE2 OE1", nil},
		{"nil pointer", (*interceptor.Error)(nil), keep, codes.Unknown, "internal error", "OE3 OE2 OE1", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			var seen error
			stack, log := tr.three(t, funcsT{OnError: func(_ ctxT, call *callT, err error) error {
				seen = err
				if call.Err() == nil || call.Code() != test.code {
					t.Errorf("H1 sees code %v, want %v", call.Code(), test.code)
				}
				return err
			}}, funcsT{OnError: test.h2}, funcsT{})
			o := (&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { return nil, test.start }}).run()
			if _, chain, _ := strings.Cut(tr.String(), "RX3 "); !strings.HasPrefix(chain, test.trace+" ") || strings.Count(chain, "OE") != len(strings.Fields(test.trace)) {
				t.Errorf("trace %s; want %s", chain, test.trace)
			}
			st := interceptor.StatusOf(o.err)
			if st.Code() != test.code || st.Message() != test.text || o.call.Code() != test.code {
				t.Errorf("client got %v %q, call %v; want %v %q", st.Code(), st.Message(), o.call.Code(), test.code, test.text)
			}
			if test.code != codes.OK && strings.HasPrefix(test.name, "replace") && !errors.Is(seen, test.start) {
				t.Errorf("the original error is gone: %v", seen)
			}
			wantText(t, log.String(), test.reports...)
			if len(test.reports) == 0 && log.String() != "" {
				t.Errorf("unexpected report %s", log)
			}
		})
	}
}

// TestOnErrorOnce: later failures change the outcome and are reported, but do not
// run the chain again.
func TestOnErrorOnce(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, log := tr.three(t, funcsT{}, funcsT{BeforeResponse: func(ctxT, *callT) error {
		return interceptor.NewError(codes.DataLoss, "second", interceptor.WithHeader("X-Second", "1"))
	}}, funcsT{})
	first := interceptor.NewError(codes.NotFound, "first")
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { return nil, first }}).run()
	wantTrace(t, tr, "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 RX3 OE3 OE2 OE1 RS3 RS2 RS1 AR3 AR2 AR1")
	if o.call.Code() != codes.DataLoss || !errors.Is(o.err, first) {
		t.Errorf("outcome %v; want DataLoss with the first failure inside", o.err)
	}
	wantText(t, log.String(), "DataLoss: second")
	if got := o.call.ResponseHeader().Values("X-Second"); len(got) != 1 {
		t.Errorf("X-Second is %v; the later error's headers belong to the answer", got)
	}
}

// TestSameFailureTwice: a layer that hands the same error on again changes
// nothing, also when a hook replaced it meanwhile.
func TestSameFailureTwice(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, log := build(t, tr.hook("1", funcsT{OnError: func(_ ctxT, _ *callT, err error) error {
		return interceptor.NewError(codes.NotFound, "replaced")
	}}))
	c := new(callT)
	ops.Begin(c, stack, context.Background(), &wire{kind: driver.GRPC})
	ops.Request(c)
	_ = ops.Fail(c, errDenied, false)
	again := ops.Fail(c, errDenied, false)
	if interceptor.StatusOf(again).Code() != codes.NotFound || c.Code() != codes.NotFound || log.String() != "" {
		t.Errorf("got %v, call %v, reports %s; want the replacement to stand", again, c.Code(), log)
	}
	wantTrace(t, tr, "BR1 OE1")
}

// TestStatusWrittenByHandler: OnError observes; nothing it returns counts, and a
// later failure that the client cannot see does not change the outcome.
func TestStatusWrittenByHandler(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, log := build(t, tr.hook("1", funcsT{OnError: func(_ ctxT, call *callT, err error) error {
		var own *interceptor.StatusError
		if !errors.As(err, &own) || own.HTTPStatus != http.StatusNotFound {
			t.Errorf("OnError got %v", err)
		}
		_ = call.ReplyHTTP(200, "", nil)
		return nil
	}}))
	o := (&rig{stack: stack, method: ops.NewRoute("/x"), kind: driver.HTTP, plain: func(w *plainWriter) error {
		w.writeHeader(http.StatusNotFound)
		panic("after the status")
	}}).run()
	wantTrace(t, tr, "BR1 BH1 OE1 RS1 AR1")
	if o.call.Code() != codes.NotFound || o.status != http.StatusNotFound {
		t.Errorf("code %v, status %d; want what the client got", o.call.Code(), o.status)
	}
	wantText(t, log.String(), "panic: after the status")
}

// TestBeforeResponseFails: a refusal just before the headers is the first failure
// of a call that succeeded, so OnError sees it.
func TestBeforeResponseFails(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(ctxT, *callT) error{
		"error": func(ctxT, *callT) error { return errDenied },
		"panic": func(ctxT, *callT) error { panic("x") },
	} {
		for shape, r := range shapes() {
			t.Run(name+"/"+shape, func(t *testing.T) {
				t.Parallel()
				tr := &trace{}
				r.stack, _ = tr.three(t, funcsT{}, funcsT{BeforeResponse: refuse}, funcsT{})
				o := r.run()
				if o.err == nil || len(o.sent) != 0 || !strings.HasSuffix(tr.String(), "RS3 RS2 OE3 OE2 OE1 RS1 AR3 AR2 AR1") {
					t.Errorf("err %v, sent %d, trace %s", o.err, len(o.sent), tr)
				}
			})
		}
	}
}

// TestReplyInBeforeResponseOfFailure is a misuse: the call has failed.
func TestReplyInBeforeResponseOfFailure(t *testing.T) {
	t.Parallel()
	stack, log := build(t, interceptor.FromFuncs("late", funcsT{BeforeResponse: func(_ ctxT, call *callT) error {
		_ = call.Reply(text("x"))
		return nil
	}}))
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { return nil, errDenied }}).run()
	if o.call.Code() != codes.Internal || len(o.sent) != 0 {
		t.Errorf("code %v, sent %d; want INTERNAL", o.call.Code(), len(o.sent))
	}
	wantText(t, log.String(), "hook late", "in BeforeResponse")
}

// TestErrorHeaders: an error brings its headers along, on the first failure and
// over HTTP also the delay of a RetryInfo.
func TestErrorHeaders(t *testing.T) {
	t.Parallel()
	fail := interceptor.NewError(codes.Unauthenticated, "who?", interceptor.WithHeader("WWW-Authenticate", "Bearer"), interceptor.WithHeader("WWW-Authenticate", "Basic"))
	stack, log := build(t)
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { return nil, fail }}).run()
	if got := o.call.ResponseHeader().Values("www-authenticate"); len(got) != 2 {
		t.Errorf("WWW-Authenticate is %v, want both", got)
	}
	bad := interceptor.NewError(codes.Unauthenticated, "who?", interceptor.WithHeader("X", "a\r\nb"))
	(&rig{stack: stack, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { return nil, bad }}).run()
	wantText(t, log.String(), `"X" contains a control character`)
}
