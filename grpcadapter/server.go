package grpcadapter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Server is a gRPC server whose every call runs a stack: wrapped descriptions
// make the hooks run before the request is read, and interceptors catch whatever
// reaches the server otherwise. It forwards to a grpc.Server and has the methods
// of one that users call. All methods are safe for concurrent use, except that
// services are registered before serving.
//
// Never reaching any hook, because grpc-go answers them itself, are malformed
// method names, an unknown grpc-encoding, refused headers and deadlines that had
// expired on arrival.
type Server struct {
	core   *core
	grpc   *grpc.Server
	hidden error // why Conn must refuse, beside the problems
	inside gate  // dispatches in process
	conn   func() *Conn
}

var _ grpc.ServiceRegistrar = (*Server)(nil)

// NewServer makes a server that runs stack. The options are grpc-go's and those
// of this package. Interceptors in plain options run inside the stack, directly
// around the handler, but not on calls through [Server.Conn], which then refuses
// to work; pass them with [WithInterceptors] instead. Only a
// grpc.StreamInterceptor would run outside the stack, and [Server.Check] refuses
// it. Stats handlers, codecs, compressors and credentials work as always.
// A nil stack panics.
func NewServer(stack *interceptor.Stack, opts ...grpc.ServerOption) *Server {
	sorted := sortOptions(opts)
	plain := inspect(sorted.plain)
	c := newCore("NewServer", stack)
	c.addProblem(plain.problem)
	if plain.outermost {
		c.addProblem(errors.New("crosscut: grpc.StreamInterceptor would run outside the stack; pass that interceptor with grpcadapter.WithInterceptors(nil, …), or with grpc.ChainStreamInterceptor if it is not for calls through Conn"))
	}
	c.ownUnary = plain.unary || len(sorted.unary) > 0
	c.ownCodec = plain.codec
	c.knowsService = func(_ context.Context, service string) bool { return c.targets.hasService(service) }
	c.lookup = func(_ context.Context, _ any, info *grpc.StreamServerInfo) *target {
		if t := c.targets.find(info.FullMethod); t != nil {
			return t
		}
		return c.unknown
	}
	c.unaryInt, c.streamInt = chainUnary(sorted.unary), chainStream(sorted.stream)
	s := &Server{core: c}
	if (plain.unary || plain.stream) && !sorted.wireOnly {
		s.hidden = errors.New("crosscut: the server has interceptors in plain grpc options, which calls through Conn would not run; pass them with grpcadapter.WithInterceptors, or say with grpcadapter.WireOnlyInterceptors that they are for the wire only")
	}
	ours := []grpc.ServerOption{grpc.ChainUnaryInterceptor(c.unaryNet), grpc.ChainStreamInterceptor(c.head)}
	if plain.unknown {
		c.unknown = newUnknownTarget(c)
		c.prepare(c.unknown.method)
	} else {
		ours = append(ours, grpc.UnknownServiceHandler(c.answerUnknown))
	}
	s.grpc = grpc.NewServer(append(ours, sorted.grpc...)...)
	s.conn = sync.OnceValue(func() *Conn { return newConn(s) })
	return s
}

// RegisterService registers a service with its implementation. Generated code
// calls it, before Serve.
func (s *Server) RegisterService(desc *grpc.ServiceDesc, impl any) {
	s.grpc.RegisterService(s.core.register(desc, impl), impl)
}

// GetServiceInfo returns the registered services, as grpc.Server does. Server
// reflection calls it.
func (s *Server) GetServiceInfo() map[string]grpc.ServiceInfo { return s.grpc.GetServiceInfo() }

// Methods returns the methods of all registered services, in the order of
// registration: what hooks receive, over gRPC as well as through a gateway.
func (s *Server) Methods() []*interceptor.Method {
	var methods []*interceptor.Method
	for _, t := range s.core.targets.all() {
		methods = append(methods, t.method)
	}
	return methods
}

// Check returns every problem that keeps the server from starting, joined, or
// nil: methods that a hook refuses, and options that would put code outside the
// stack. Serve calls it.
func (s *Server) Check() error { return s.core.check() }

// Serve answers connections from lis until Stop or GracefulStop, as
// grpc.Server.Serve does. It refuses to start, and closes lis, when Check fails.
func (s *Server) Serve(lis net.Listener) error {
	if err := s.Check(); err != nil {
		_ = lis.Close()
		return fmt.Errorf("grpcadapter: the server does not start: %w", err)
	}
	return s.grpc.Serve(lis)
}

// Stop closes all connections and cancels all calls, those in process too, and
// returns without waiting for handlers.
func (s *Server) Stop() {
	s.inside.close(interceptor.NewError(codes.Unavailable, "the server was stopped"))
	s.grpc.Stop()
}

// GracefulStop refuses new calls and waits for those that are running, in
// process too. Calls that arrive through ServeHTTP are not waited for: shut the
// http.Server down first.
func (s *Server) GracefulStop() {
	s.grpc.GracefulStop() // handlers that still run may call in process
	s.inside.close(nil)
	s.inside.wait()
}

// Conn returns the connection to this server within the process, for all four
// kinds of call; gateways and other handlers use it. It is always the same.
func (s *Server) Conn() *Conn { return s.conn() }

// connProblem returns why calls in process must be refused, or nil.
func (s *Server) connProblem() error { return errors.Join(s.core.check(), s.hidden) }
