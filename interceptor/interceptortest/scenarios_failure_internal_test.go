package interceptortest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/crosscut-go/crosscut/interceptor"
)

// notUTF8 makes a message that cannot be encoded.
const notUTF8 = "\xff"

// failureScenarios are about failures and what hooks and clients get of them.
var failureScenarios = []scenario{
	{
		name:    "9 no such method or route",
		unknown: true,
		want:    "BR123 OE321 RS321 AR321 DF",
		code:    codes.Unimplemented,
	},
	{
		name:    "10 the reply cannot be encoded",
		on:      on{hnd: sends(notUTF8)},
		only:    func(w *way) bool { return !w.plain() },
		want:    "BR123 BH123 RX123 HND TX321 OE321 RS321 AR321 DF",
		code:    codes.Internal,
		replies: []string{},
	},
	{
		name:    "11 a stream sends two messages and fails",
		on:      on{hnd: both(sends("one", "two"), reject(codes.Aborted, "enough"))},
		only:    (*way).streams,
		want:    "BR123 BH123 RX123 HND TX321 RS321 TX321 OE321 AR321 DF",
		code:    codes.Aborted,
		replies: []string{"one", "two"},
		message: "enough",
		check: func(t *testing.T, s *staged) {
			if f := s.fact(t, "OE1"); !f.committed {
				t.Error("OE1 was not told that the response has been committed")
			}
		},
	},
	{
		name: "14 the client leaves",
		on:   on{hnd: both(clientLeaves, untilEnd)},
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.Canceled,
		lost: true,
	},
	{
		name: "14a the client leaves and the handler does not mind",
		on:   on{hnd: both(clientLeaves, untilGone, sends("too late"))},
		want: "BR123 BH123 RX123 HND TX321 RS321 OE321 AR321 DF",
		code: codes.Canceled,
		lost: true,
	},
	{
		name: "14b a deadline passes",
		on:   on{"BR2": expire, hnd: untilEnd}, patient: true,
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.DeadlineExceeded,
	},
	{
		name: "14d the deadline of a gRPC client passes",
		on:   on{hnd: untilEnd}, timed: true, patient: true,
		only: func(w *way) bool { return !w.http() },
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.DeadlineExceeded,
	},
	{
		name:        undecodable,
		undecodable: true,
		only:        func(w *way) bool { return !w.plain() },
		want:        "BR123 BH123 OE321 RS321 AR321 DF",
		code:        codes.InvalidArgument,
	},
	{
		name:    "20 a typed error of the handler",
		on:      on{hnd: fail(errTyped)},
		want:    "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code:    codes.FailedPrecondition,
		message: "come back later",
		check: func(t *testing.T, s *staged) {
			if got := s.client.status.Details(); len(got) != 1 || !strings.Contains(got[0].(*wrapperspb.StringValue).GetValue(), "detail") {
				t.Errorf("the client got details %v, want the handler's", got)
			}
			if want := interceptor.HTTPStatusFromCode(codes.FailedPrecondition); s.way.http() && s.client.httpStatus != want {
				t.Errorf("HTTP status %d, want %d", s.client.httpStatus, want)
			}
		},
	},
	{
		name: "20a a status wrapped in text",
		on:   on{hnd: fail(errWrapped)},
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.NotFound, message: "no such book",
	},
	{
		name: "20b an untyped error of the handler",
		on:   on{hnd: fail(errUntyped)},
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.Unknown, message: "internal error",
	},
	{
		name: "20c an error that claims success",
		on:   on{hnd: fail(interceptor.NewError(codes.OK, "fine"))},
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.Internal, message: "internal error",
	},
	{
		name: "20d a hook panics in BeforeHandler",
		on:   on{"BH2": panics("confidential")},
		want: "BR123 BH12 OE321 RS321 AR321 DF",
		code: codes.Internal, message: "internal error",
		reports: "panic in hook 2",
	},
	{
		name: "20e OnError returns nil without a reply",
		on:   on{hnd: fail(errTyped), "OE2": func(m *moment) (context.Context, error) { return m.ctx, nil }},
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.FailedPrecondition, message: "come back later",
		reports: "OnError returned nil without Reply",
	},
	{
		name: "20f BeforeResponse refuses",
		on:   on{"RS2": reject(codes.Unavailable, "not now")},
		want: "BR123 BH123 RX123 HND TX321 RS32 OE321 RS1 AR321 DF",
		code: codes.Unavailable, message: "not now",
	},
	{
		name: "20g BeforeRequest returns a foreign context",
		on:   on{"BR2": func(*moment) (context.Context, error) { return context.Background(), nil }},
		want: "BR12 OE1 RS1 AR1 DF",
		code: codes.Internal, message: "internal error",
		reports: "hook 2",
	},
}

var (
	errTyped = interceptor.NewError(codes.FailedPrecondition, "come back later",
		interceptor.WithCause(errCause), interceptor.WithDetails(wrapperspb.String("the detail")))
	errWrapped = errors.Join(errUntyped, status.Error(codes.NotFound, "no such book"))
)
