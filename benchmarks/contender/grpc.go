package contender

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// Server is a gRPC server of any library.
type Server interface {
	grpc.ServiceRegistrar
	Serve(lis net.Listener) error
	Stop()
}

// GRPC is a contender for gRPC.
type GRPC struct {
	Name string
	// Telemetry says that the contender does W6 as well.
	Telemetry bool
	// Guard wraps where services are registered, for calls without a socket; nil if
	// the contender works by an interceptor instead.
	Guard func(p *Parts, to grpc.ServiceRegistrar) grpc.ServiceRegistrar
	// Unary is the interceptor that the generated handler gets for calls without a
	// socket. Where both are nil the contender needs its server.
	Unary func(p *Parts) grpc.UnaryServerInterceptor
	// Server makes a server that does the work.
	Server func(p *Parts, opts ...grpc.ServerOption) Server
}

// AllGRPC are the contenders for gRPC.
func AllGRPC() []GRPC {
	return []GRPC{
		{Name: "crosscut", Telemetry: true, Guard: crosscutGuard, Server: crosscutServer},
		{Name: "fused", Unary: fusedUnary, Server: fusedServer},
		{Name: "go-grpc-middleware", Telemetry: true, Unary: chainedMiddlewares, Server: middlewareServer},
		{Name: "kratos", Telemetry: true, Server: kratosServer},
	}
}

// FindGRPC returns the contender of a name. It panics if there is none.
func FindGRPC(name string) GRPC {
	for _, c := range AllGRPC() {
		if c.Name == name {
			return c
		}
	}
	panic("contender.FindGRPC: no contender is named " + name)
}

// BareServer is grpc-go with nothing installed.
func BareServer(_ *Parts, opts ...grpc.ServerOption) Server { return grpc.NewServer(opts...) }

// StatsServer is grpc-go with a stats handler that does nothing.
func StatsServer(_ *Parts, opts ...grpc.ServerOption) Server {
	return grpc.NewServer(append(opts, grpc.StatsHandler(noStats{}))...)
}

type noStats struct{}

func (noStats) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (noStats) HandleRPC(context.Context, stats.RPCStats)                         {}
func (noStats) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (noStats) HandleConn(context.Context, stats.ConnStats)                       {}
