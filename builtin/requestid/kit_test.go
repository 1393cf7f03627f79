package requestid_test

import (
	"context"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestConformance holds the hook to the rules that every hook has to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return requestid.New() })
}

// TestEchoEverywhere checks that the caller's id is in the answer, of a success and
// of a failure, on every transport.
func TestEchoEverywhere(t *testing.T) {
	t.Parallel()
	refuse := interceptor.FromFuncs("refuse", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		if call.RequestHeader().Get("X-Refuse") != "" {
			return nil, interceptor.NewError(codes.PermissionDenied, "not you")
		}
		return ctx, nil
	}})
	hooks := []interceptor.Hook{requestid.New(), refuse}
	for _, tt := range []struct {
		name   string
		header http.Header
		code   codes.Code
	}{
		{"success", http.Header{"X-Request-Id": {"abc-123"}}, codes.OK},
		{"failure", http.Header{"X-Request-Id": {"abc-123"}, "X-Refuse": {"1"}}, codes.PermissionDenied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Each(t, hooks, interceptortest.Request{Header: tt.header}, func(t *testing.T, got interceptortest.Result) {
				echoed := got.Header.Get("X-Request-Id")
				if echoed == "" {
					echoed = got.Trailer.Get("X-Request-Id") // where the status is all there is
				}
				if id, _ := requestid.Key.Get(got.Call); got.Code != tt.code || echoed != "abc-123" || id != "abc-123" {
					t.Errorf("code %v, echoed %q, id of the call %q", got.Code, echoed, id)
				}
			})
		})
	}
}
