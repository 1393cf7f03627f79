package ecosystem_test

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// A way starts a gRPC server that runs the stack and returns a connection to it.
// Both end with the test.
type way struct {
	name  string
	wire  bool // grpc-go itself speaks to the client
	start func(t *testing.T, s service) grpc.ClientConnInterface
}

// service is what a way serves.
type service struct {
	stack    *interceptor.Stack
	register func(grpc.ServiceRegistrar)
	opts     []grpc.ServerOption
	dial     []grpc.DialOption
}

// The ways in which a gRPC server has a stack.
var ways = []way{
	{"Server", true, func(t *testing.T, s service) grpc.ClientConnInterface {
		srv := grpcadapter.NewServer(s.stack, s.opts...)
		s.register(srv)
		return dial(t, serveGRPC(t, srv), s.dial...)
	}},
	{"Guard", true, func(t *testing.T, s service) grpc.ClientConnInterface {
		srv := grpc.NewServer(append(grpcadapter.ServerOptions(s.stack), s.opts...)...)
		s.register(grpcadapter.Guard(s.stack, srv))
		return dial(t, serveGRPC(t, srv), s.dial...)
	}},
	{"ServerOptions", true, func(t *testing.T, s service) grpc.ClientConnInterface {
		srv := grpc.NewServer(append(grpcadapter.ServerOptions(s.stack), s.opts...)...)
		s.register(srv)
		return dial(t, serveGRPC(t, srv), s.dial...)
	}},
	{"mounted", false, func(t *testing.T, s service) grpc.ClientConnInterface {
		srv := grpcadapter.NewServer(s.stack, s.opts...)
		s.register(srv)
		mux := httpadapter.NewMux(s.stack)
		mux.Handle("/", srv)
		return dial(t, serveHTTP(t, mux), s.dial...)
	}},
	{"Conn", false, func(t *testing.T, s service) grpc.ClientConnInterface {
		srv := grpcadapter.NewServer(s.stack, s.opts...)
		s.register(srv)
		t.Cleanup(srv.GracefulStop)
		return srv.Conn()
	}},
}

// grpcServer is a gRPC server of either package.
type grpcServer interface {
	Serve(net.Listener) error
	GracefulStop()
}

// serveGRPC serves srv until the test ends and returns its address.
func serveGRPC(t *testing.T, srv grpcServer) string {
	t.Helper()
	lis := listen(t)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(lis) }()
	t.Cleanup(func() {
		srv.GracefulStop()
		if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // stopped before it served
			t.Errorf("Serve: %v", err)
		}
	})
	return lis.Addr().String()
}

// serveHTTP serves h over HTTP/1.1 and HTTP/2, both without TLS, until the test
// ends, and returns its address.
func serveHTTP(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	return serveWith(t, srv, srv.Serve)
}

// serveWith runs serve, a method of srv, until the test ends.
func serveWith(t *testing.T, srv *http.Server, serve func(net.Listener) error) string {
	t.Helper()
	lis := listen(t)
	done := make(chan error, 1)
	go func() { done <- serve(lis) }()
	t.Cleanup(func() {
		_ = srv.Close() // of connections that the client has closed before
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return lis.Addr().String()
}

// quietLog drops what net/http says about clients that fail on purpose.
var quietLog = log.New(io.Discard, "", 0)

func listen(t *testing.T) net.Listener {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis
}

// dial connects to addr until the test ends, without TLS unless opts say so.
func dial(t *testing.T, addr string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)
	conn, err := grpc.NewClient("passthrough:///"+addr, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
