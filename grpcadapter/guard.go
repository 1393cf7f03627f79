package grpcadapter

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Registrar guards the services registered through it on a server that was built
// elsewhere; see [Guard].
type Registrar struct {
	core     *core
	existing grpc.ServiceRegistrar
	own      map[string]grpc.ServiceInfo
}

var _ reflection.GRPCServer = (*Registrar)(nil)

// Guard returns a registrar for services of existing, usually a *grpc.Server.
// The stack runs around their calls with the phases it has on a [Server]: hooks
// run before any byte of the body has been read. Calls of services registered
// on existing directly, and unknown methods, reach the stack only if existing
// was built with [ServerOptions] too. The user's unary interceptors run inside
// the stack, stream interceptors of existing outside.
//
// Problems found at registration, such as a hook that refuses a method, make
// every guarded call INTERNAL and are reported, since there is no start to
// refuse. A nil stack panics. Register before existing serves, from one
// goroutine.
func Guard(stack *interceptor.Stack, existing grpc.ServiceRegistrar) *Registrar {
	c := newCore("Guard", stack)
	c.ownUnary = true // unknown, so assume it
	if server, ok := existing.(*grpc.Server); ok {
		c.ownCodec = forcesCodec(server)
	}
	return &Registrar{core: c, existing: existing, own: map[string]grpc.ServiceInfo{}}
}

// RegisterService registers a guarded copy of the service on the existing
// server. Generated code calls it.
func (g *Registrar) RegisterService(desc *grpc.ServiceDesc, impl any) {
	g.existing.RegisterService(g.core.register(desc, impl), impl)
	g.own[desc.ServiceName] = serviceInfo(desc)
}

// GetServiceInfo returns the services of the existing server, or those
// registered here if it does not tell. Server reflection calls it.
func (g *Registrar) GetServiceInfo() map[string]grpc.ServiceInfo {
	if p, ok := g.existing.(reflection.ServiceInfoProvider); ok {
		return p.GetServiceInfo()
	}
	return g.own
}

func serviceInfo(desc *grpc.ServiceDesc) grpc.ServiceInfo {
	info := grpc.ServiceInfo{Metadata: desc.Metadata}
	for _, m := range desc.Methods {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: m.MethodName})
	}
	for _, s := range desc.Streams {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: s.StreamName, IsClientStream: s.ClientStreams, IsServerStream: s.ServerStreams})
	}
	return info
}
