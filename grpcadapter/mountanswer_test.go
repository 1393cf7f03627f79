package grpcadapter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// grpcRequest is a unary call with an empty message as net/http hands it to
// handlers.
func grpcRequest(ctx context.Context, path string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader("\x00\x00\x00\x00\x00"))
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
	r.Header.Set("Content-Type", "application/grpc")
	return r
}

// A call that grpc-go answers without asking the stack for a handler has the
// outcome that the client gets, not the success of a handler that never ran.
func TestMountedOutcomeWithoutDispatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path, encoding string
		want           codes.Code
		message        string
	}{
		"unknown encoding":      {pb.ConformanceService_Unary_FullMethodName, "nope", codes.Unimplemented, `"nope"`},
		"malformed method name": {"/nope", "", codes.Unimplemented, "malformed"},
		"text beyond ASCII":     {"/n%C3%B6pe", "", codes.Unimplemented, "nöpe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, nil)
			srv := grpcadapter.NewServer(stack)
			pb.RegisterConformanceServiceServer(srv, &service{})
			r := grpcRequest(t.Context(), tc.path)
			if tc.encoding != "" {
				r.Header.Set("Grpc-Encoding", tc.encoding)
			}
			around(stack, srv, 1).ServeHTTP(httptest.NewRecorder(), r)
			call := tr.end(t)
			if st := status.Convert(call.Err()); call.Code() != tc.want || !strings.Contains(st.Message(), tc.message) {
				t.Errorf("outcome %v, %q; want %v and a message with %s", call.Code(), st.Message(), tc.want, tc.message)
			}
			wantTrace(t, tr, "BR123 OE321 AR321")
		})
	}
}

// A client that leaves before the handler has begun ends its call as cancelled,
// whether grpc-go still begins to dispatch it or not.
func TestMountedClientLeavesEarly(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	leave := func() {}
	stack := interceptor.MustNew(interceptor.FromFuncs("leaver", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) {
			leave()
			return ctx, nil
		},
		AfterResponse: func(_ context.Context, call *interceptor.Call) { tr.ended <- call },
	}))
	srv := grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(srv, everyKind(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}))
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		leave = cancel
		around(stack, srv, 1).ServeHTTP(httptest.NewRecorder(), grpcRequest(ctx, pb.ConformanceService_Unary_FullMethodName))
		if call := tr.end(t); call.Code() != codes.Canceled {
			t.Fatalf("outcome %v, %v; want %v", call.Code(), call.Err(), codes.Canceled)
		}
	}
}
