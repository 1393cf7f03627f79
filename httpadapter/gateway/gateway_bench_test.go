package gateway_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// BenchmarkREST compares ways to serve one REST request, without the HTTP
// server's own socket: through the in-process connection, through a gateway that
// dials its own server over loopback, and straight into the handler with no
// stack at all.
func BenchmarkREST(b *testing.B) {
	b.Run("Conn", func(b *testing.B) {
		stack := interceptor.MustNew()
		srv := grpcadapter.NewServer(stack)
		defer srv.Stop()
		pb.RegisterConformanceServiceServer(srv, &service{})
		gw := gateway.New(stack, srv.Conn())
		mustRegister(b, pb.RegisterConformanceServiceHandlerClient(b.Context(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())))
		serve(b, gw)
	})
	b.Run("dialling its own server", func(b *testing.B) {
		srv := grpc.NewServer()
		defer srv.Stop()
		pb.RegisterConformanceServiceServer(srv, &service{})
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		mustRegister(b, err)
		go func() { _ = srv.Serve(lis) }() // Stop ends it
		conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		mustRegister(b, err)
		defer func() { _ = conn.Close() }()
		mux := runtime.NewServeMux()
		mustRegister(b, pb.RegisterConformanceServiceHandler(b.Context(), mux, conn))
		serve(b, mux)
	})
	b.Run("HandlerServer without a stack", func(b *testing.B) {
		mux := runtime.NewServeMux()
		mustRegister(b, pb.RegisterConformanceServiceHandlerServer(b.Context(), mux, &service{}))
		serve(b, mux)
	})
}

func serve(b *testing.B, h http.Handler) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/conformance/7?text=x", nil))
		if w.Code != http.StatusOK {
			b.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
}

func mustRegister(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
