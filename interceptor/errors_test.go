package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// TestHTTPStatusFromCode walks every code, and some that do not exist, beside
// grpc-gateway's table.
func TestHTTPStatusFromCode(t *testing.T) {
	t.Parallel()
	for code := codes.Code(0); code < 40; code++ {
		if got, want := interceptor.HTTPStatusFromCode(code), runtime.HTTPStatusFromCode(code); got != want {
			t.Errorf("%v is %d, grpc-gateway says %d", code, got, want)
		}
	}
	if got := interceptor.HTTPStatusFromCode(1 << 31); got != http.StatusInternalServerError {
		t.Errorf("a code beyond every table is %d", got)
	}
}

// TestCodeFromHTTPStatus walks every HTTP status.
func TestCodeFromHTTPStatus(t *testing.T) {
	t.Parallel()
	named := map[int]codes.Code{
		400: codes.InvalidArgument, 401: codes.Unauthenticated, 403: codes.PermissionDenied, 404: codes.NotFound,
		405: codes.Unimplemented, 408: codes.DeadlineExceeded, 409: codes.Aborted, 412: codes.FailedPrecondition,
		413: codes.ResourceExhausted, 429: codes.ResourceExhausted, 431: codes.ResourceExhausted, 499: codes.Canceled,
		501: codes.Unimplemented, 502: codes.Unavailable, 503: codes.Unavailable, 504: codes.DeadlineExceeded,
	}
	for s := range 1000 {
		want, ok := named[s]
		switch {
		case ok:
		case s < 400:
			want = codes.OK
		case s < 500:
			want = codes.InvalidArgument
		default:
			want = codes.Internal
		}
		if got := interceptor.CodeFromHTTPStatus(s); got != want {
			t.Errorf("%d is %v, want %v", s, got, want)
		}
	}
}

// nilStatusError and panicStatusError are errors whose own status is of no use.
type (
	nilStatusError   struct{}
	panicStatusError struct{}
)

func (nilStatusError) Error() string                { return "secret" }
func (nilStatusError) GRPCStatus() *status.Status   { return nil }
func (panicStatusError) Error() string              { return "secret" }
func (panicStatusError) GRPCStatus() *status.Status { panic("status") }

// TestStatusOf: what clients get of any error, over gRPC and HTTP.
func TestStatusOf(t *testing.T) {
	t.Parallel()
	typed := interceptor.NewError(codes.NotFound, "no such book", interceptor.WithCause(errors.New("secret")))
	teapot := interceptor.NewError(codes.NotFound, "short and stout", interceptor.WithHTTPStatus(418))
	tests := []struct {
		name string
		err  error
		code codes.Code
		text string
		http int
	}{
		{"nil", nil, codes.OK, "", 200},
		{"typed", typed, codes.NotFound, "no such book", 404},
		{"wrapped", fmt.Errorf("secret: %w", typed), codes.NotFound, "no such book", 404},
		{"joined", errors.Join(errors.New("secret"), typed), codes.NotFound, "no such book", 404},
		{"grpc status", fmt.Errorf("secret: %w", status.Error(codes.Aborted, "again")), codes.Aborted, "again", 409},
		{"own HTTP status", teapot, codes.NotFound, "short and stout", 418},
		{"untyped", errors.New("secret"), codes.Unknown, "internal error", 500},
		{"cancelled", fmt.Errorf("secret: %w", context.Canceled), codes.Canceled, "context canceled", 499},
		{"deadline", context.DeadlineExceeded, codes.DeadlineExceeded, "context deadline exceeded", 504},
		{"deadline over cancelled", errors.Join(context.Canceled, context.DeadlineExceeded), codes.DeadlineExceeded, "context deadline exceeded", 504},
		{"OK", interceptor.NewError(codes.OK, "secret"), codes.Internal, "internal error", 500},
		{"HTTP 200", interceptor.NewError(codes.NotFound, "x", interceptor.WithHTTPStatus(200)), codes.Internal, "internal error", 500},
		{"HTTP 1000", interceptor.NewError(codes.NotFound, "x", interceptor.WithHTTPStatus(1000)), codes.NotFound, "x", 500},
		{"written by the handler", &interceptor.StatusError{HTTPStatus: 429}, codes.ResourceExhausted, "Too Many Requests", 429},
		{"panic", &interceptor.PanicError{Value: typed}, codes.Internal, "internal error", 500},
		{"misuse", ops.Misuse("secret"), codes.Internal, "internal error", 500},
		{"nil status", nilStatusError{}, codes.Unknown, "internal error", 500},
		{"status that panics", panicStatusError{}, codes.Internal, "internal error", 500},
		{"nil pointer", (*interceptor.Error)(nil), codes.Unknown, "internal error", 500},
		{"nil StatusError", (*interceptor.StatusError)(nil), codes.Internal, "internal error", 500},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			st := interceptor.StatusOf(test.err)
			if st.Code() != test.code || st.Message() != test.text {
				t.Errorf("status %v %q, want %v %q", st.Code(), st.Message(), test.code, test.text)
			}
			if got := interceptor.HTTPStatusOf(test.err); got != test.http {
				t.Errorf("HTTP status %d, want %d", got, test.http)
			}
			if strings.Contains(st.String(), "secret") {
				t.Errorf("leaked: %v", st)
			}
		})
	}
}

// TestError: what NewError holds, and for whom.
func TestError(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk full")
	err := interceptor.NewError(codes.Unavailable, "try later", interceptor.WithCause(cause),
		interceptor.WithDetails(&errdetails.DebugInfo{Detail: "secret"}, &errdetails.ErrorInfo{Reason: "FULL"}))
	if err.Error() != "Unavailable: try later: disk full" || !errors.Is(err, cause) || err.Code() != codes.Unavailable {
		t.Errorf("got %q", err.Error())
	}
	details := interceptor.StatusOf(err).Details()
	if len(details) != 1 || details[0].(*errdetails.ErrorInfo).GetReason() != "FULL" {
		t.Errorf("details %v, want the ErrorInfo alone", details)
	}
	bad := interceptor.NewError(codes.OK, "fine", interceptor.WithDetails(&errdetails.ErrorInfo{}))
	wantText(t, bad.Error(), "packing the details")
	var none *interceptor.Error
	wantText(t, none.Error(), "nil *interceptor.Error")
	if none.Unwrap() != nil || none.GRPCStatus() != nil || none.Code() != codes.OK {
		t.Error("a nil *Error says something")
	}
	wantText(t, (&interceptor.StatusError{HTTPStatus: 404}).Error(), "404 Not Found")
}

// retryAfter answers what header a failure with the delay goes out with.
func retryAfter(t testing.TB, kind driver.Kind, info *errdetails.RetryInfo) []string {
	t.Helper()
	stack, _ := build(t)
	err := interceptor.NewError(codes.Unavailable, "later", interceptor.WithDetails(&errdetails.ErrorInfo{}, info))
	o := (&rig{stack: stack, kind: kind, method: newRPC(interceptor.Unary), unary: func(ctxT, any) (any, error) { return nil, err }}).run()
	return o.call.ResponseHeader().Values("Retry-After")
}

// TestRetryAfter: a RetryInfo becomes whole seconds, rounded up, over HTTP alone.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for delay, want := range map[time.Duration]string{0: "0", time.Second: "1", 1500 * time.Millisecond: "2", time.Nanosecond: "1", time.Hour: "3600"} {
		if got := retryAfter(t, driver.HTTP, &errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}); len(got) != 1 || got[0] != want {
			t.Errorf("%v became %v, want %s", delay, got, want)
		}
	}
	if got := retryAfter(t, driver.HTTP, &errdetails.RetryInfo{RetryDelay: durationpb.New(-time.Hour)}); got != nil {
		t.Errorf("a delay in the past became %v", got)
	}
	if got := retryAfter(t, driver.GRPC, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Hour)}); got != nil {
		t.Errorf("over gRPC it became %v", got)
	}
}
