package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/racing"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// discarding is a response that costs nothing.
type discarding http.Header

func (d discarding) Header() http.Header       { return http.Header(d) }
func (discarding) Write(p []byte) (int, error) { return len(p), nil }
func (discarding) WriteHeader(int)             {}

// TestAllocations pins what a stack without hooks, and the connection that the RPC
// goes through, add to a REST call whose handler a bare gateway calls directly.
func TestAllocations(t *testing.T) { // not parallel: it counts allocations
	if racing.Enabled {
		t.Skip("the race detector has pools forget what they are given")
	}
	measure := func(h http.Handler) float64 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/conformance/7?text=x", nil)
		r.Header = http.Header{"Authorization": {"Bearer x"}, "X-Request-Id": {"1"}, "Accept": {"*/*"}}
		return testing.AllocsPerRun(300, func() { h.ServeHTTP(discarding{}, r) })
	}
	bare := runtime.NewServeMux()
	if err := pb.RegisterConformanceServiceHandlerServer(t.Context(), bare, &service{}); err != nil {
		t.Fatal(err)
	}
	stack := interceptor.MustNew()
	srv := grpcadapter.NewServer(stack)
	t.Cleanup(srv.Stop)
	pb.RegisterConformanceServiceServer(srv, &service{})
	gw := gateway.New(stack, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(t.Context(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		t.Fatal(err)
	}
	without, with := measure(bare), measure(gw)
	t.Logf("a bare gateway makes %v allocations, one with a stack %v", without, with)
	if with-without != 27 {
		t.Errorf("a stack adds %v allocations to the %v of a REST call, want 27", with-without, without)
	}
}
