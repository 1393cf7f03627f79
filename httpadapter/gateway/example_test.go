package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// One hook decides about a REST call by the RPC it runs, before anything is
// decoded; the handler never knows.
func Example() {
	hook := interceptor.FromFuncs("tenant", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			fmt.Println(call.Route(), "runs", m.Descriptor().Name())
			if call.RequestHeader().Get("X-Tenant") == "" {
				return nil, interceptor.NewError(codes.PermissionDenied, "unknown tenant")
			}
			return ctx, nil
		},
	})
	stack := interceptor.MustNew(hook)

	srv := grpcadapter.NewServer(stack)
	defer srv.Stop()
	pb.RegisterConformanceServiceServer(srv, &service{})

	gw := gateway.New(stack, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(context.Background(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		fmt.Println(err)
		return
	}

	for _, tenant := range []string{"", "acme"} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/v1/conformance/7", nil)
		r.Header.Set("X-Tenant", tenant)
		w := httptest.NewRecorder()
		gw.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// /v1/conformance/{id} runs Unary
	// 403
	// /v1/conformance/{id} runs Unary
	// 200
}
