package grpcadapter

import (
	"context"

	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/interceptor"
)

// unknownHandler is the name of the method that stands for a user's own
// unknown-service handler, whatever name the client sent.
const unknownHandler = "grpc:*"

// newUnknownTarget makes the target of the user's own unknown-service handler.
// It has no descriptor, so BeforeHandler decides by the name alone.
func newUnknownTarget(c *core) *target {
	t := &target{core: c, stream: &grpc.StreamDesc{StreamName: unknownHandler, ClientStreams: true, ServerStreams: true}}
	t.method = ops.NewMethod(unknownHandler, nil, uint8(interceptor.BidiStream))
	return t
}

// head is the first stream interceptor. Only there can the stack be outside of
// the user's stream interceptors, and answer unknown methods before them.
func (c *core) head(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx := ss.Context()
	if r := running(ctx, c.stack); r != nil && r.onItsWay(ctx, info.FullMethod) {
		return handler(srv, ss)
	}
	l, err := c.mountLink(ctx, info.FullMethod)
	if err != nil {
		return err
	}
	t := c.lookup(ctx, srv, info)
	return c.serveStream(ss, info.FullMethod, t, l, func(w grpc.ServerStream) error { return handler(srv, w) })
}

// answerUnknown is the unknown-service handler where the user has none. The head
// has answered before; only behind another server's interceptors does a call
// get here.
func (c *core) answerUnknown(_ any, ss grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(ss)
	return c.serveStream(ss, path, nil, link{}, nil)
}

// unaryNet is the unary interceptor: it guards methods whose description was not
// wrapped. Their request has been decoded already.
func (c *core) unaryNet(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	path, ok := grpc.Method(ctx) // what grpc-go matched, not what the handler says
	if !ok {
		path = info.FullMethod
	}
	if r := running(ctx, c.stack); r != nil && r.onItsWay(ctx, path) {
		return handler(ctx, req)
	}
	l, err := c.mountLink(ctx, path)
	if err != nil {
		return nil, err
	}
	t := c.targets.seen(c, path, interceptor.Unary)
	decoded := func(_ any, ctx context.Context, dec func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
		if err := dec(req); err != nil {
			return nil, err
		}
		return i(ctx, req, info, handler)
	}
	return c.serveUnary(ctx, t, decoded, l, func(any) error { return nil }, nil)
}

// seen returns the target of a method that this core has not wrapped. Such
// methods are made at first sight and only for names that grpc-go has matched,
// so there are never more of them than methods.
func (ts *targets) seen(c *core, path string, kind interceptor.Kind) *target {
	if t := ts.find(path); t != nil {
		return t
	}
	if t, ok := ts.unwrapped.Load(path); ok {
		return t.(*target)
	}
	service, name := splitMethod(path)
	t, _ := ts.unwrapped.LoadOrStore(path, &target{core: c, method: methodOf(service, name, kind)})
	return t.(*target) // the engine checks the method, and keeps it closed if it must
}

// lookupUnseen finds out what a stream runs on a server that was built
// elsewhere. grpc-go passes no implementation to the unknown-service handler,
// but also to services that were registered with none.
func (c *core) lookupUnseen(ctx context.Context, srv any, info *grpc.StreamServerInfo) *target {
	service, name := splitMethod(info.FullMethod)
	server := serverIn(ctx)
	switch {
	case srv != nil, server.hasMethod(service, name):
		return c.targets.seen(c, info.FullMethod, kindOf(info.IsClientStream, info.IsServerStream))
	case server.unknownIsOurs():
		return nil
	default: // the user's own, or grpc-go does not tell any more: decide
		return c.unknown
	}
}
