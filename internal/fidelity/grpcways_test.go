package fidelity_test

import (
	"net"
	"net/http"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// rpcs is what a gRPC server serves: the service of this package, with options of
// the case's own.
type rpcs struct {
	options func(c *conversation) []grpc.ServerOption
}

// registrar is a server to register at.
type registrar interface {
	grpc.ServiceRegistrar
	GetServiceInfo() map[string]grpc.ServiceInfo
}

// register registers the services of every conversation.
func register(c *conversation, at registrar) {
	pb.RegisterConformanceServiceServer(at, &service{c: c})
	healthpb.RegisterHealthServer(at, health.NewServer())
	reflection.Register(at)
	c.marks.Store("services", at.GetServiceInfo())
}

// all are the options of a stack, those of the case, and the one that lets a
// server stop when its handlers have returned.
func (s rpcs) all(c *conversation, ofStack ...grpc.ServerOption) []grpc.ServerOption {
	opts := []grpc.ServerOption{grpc.WaitForHandlers(true)}
	if s.options != nil {
		opts = append(opts, s.options(c)...)
	}
	return slices.Concat(ofStack, opts)
}

// grpcServer is what a grpc.Server and one of ours have in common.
type grpcServer interface {
	registrar
	http.Handler
	Serve(lis net.Listener) error
	Stop()
	GracefulStop()
}

func bareServer(c *conversation, s rpcs) grpcServer {
	srv := grpc.NewServer(s.all(c)...)
	register(c, srv)
	return srv
}

func wrappedServer(c *conversation, s rpcs, in *interceptor.Stack) grpcServer {
	srv := grpcadapter.NewServer(in, s.all(c)...)
	register(c, srv)
	return srv
}

// grpcWays are the places of a stack around RPCs.
var grpcWays = []way[rpcs]{
	{
		name: "NewServer",
		bare: func(c *conversation, s rpcs) *site { return serveGRPC(c, bareServer(c, s)) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site {
			return serveGRPC(c, wrappedServer(c, s, in))
		},
	},
	{
		name: "Guard", once: true,
		bare: func(c *conversation, s rpcs) *site { return serveGRPC(c, bareServer(c, s)) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site {
			srv := grpc.NewServer(s.all(c, grpcadapter.ServerOptions(in)...)...)
			register(c, guarded{grpcadapter.Guard(in, srv), srv})
			return serveGRPC(c, srv)
		},
	},
	{
		name: "ServerOptions", once: true,
		bare: func(c *conversation, s rpcs) *site { return serveGRPC(c, bareServer(c, s)) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site {
			srv := grpc.NewServer(s.all(c, grpcadapter.ServerOptions(in)...)...)
			register(c, srv)
			return serveGRPC(c, srv)
		},
	},
}

// mountedWays are the places of a stack around a gRPC server under net/http.
var mountedWays = []way[rpcs]{
	{
		name: "ServeHTTP",
		bare: func(c *conversation, s rpcs) *site { return mounted(c, bareServer(c, s), asIs) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site {
			return mounted(c, wrappedServer(c, s, in), asIs)
		},
	},
	{
		name: "in a Mux",
		bare: func(c *conversation, s rpcs) *site { return mounted(c, bareServer(c, s), serveMux) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site {
			return mounted(c, wrappedServer(c, s, in), func(h http.Handler) http.Handler { return mux(in, h) })
		},
	},
	{
		name: "in Wrap", once: true,
		bare: func(c *conversation, s rpcs) *site { return mounted(c, bareServer(c, s), asIs) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site {
			return mounted(c, wrappedServer(c, s, in), func(h http.Handler) http.Handler { return wrap(in, h) })
		},
	},
}

type guarded struct {
	grpc.ServiceRegistrar
	srv *grpc.Server
}

func (g guarded) GetServiceInfo() map[string]grpc.ServiceInfo { return g.srv.GetServiceInfo() }

// serveGRPC serves over grpc-go's own transport.
func serveGRPC(c *conversation, srv grpcServer) *site {
	c.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = srv.Serve(lis) })
	return &site{
		addr:     lis.Addr().String(),
		shutdown: srv.GracefulStop,
		stop: func() {
			c.hangUp()
			srv.Stop()
			served.Wait()
		},
	}
}

// mounted serves under net/http.
func mounted(c *conversation, srv grpcServer, in func(http.Handler) http.Handler) *site {
	c.Helper()
	s := serveHTTP(c, in(srv))
	ofHTTP := s.stop
	s.stop = func() {
		ofHTTP()
		srv.Stop()
		c.rpcs.Wait()
	}
	return s
}

// withOptions is a subject with options that do not depend on the conversation.
func withOptions(opts ...grpc.ServerOption) rpcs {
	return rpcs{func(*conversation) []grpc.ServerOption { return opts }}
}
