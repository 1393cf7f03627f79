package grpcadapter

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Conn is a connection to a [Server] within the process, for generated clients:
// all four kinds of call, without a socket. It is safe for concurrent use and
// needs no closing.
//
// A call made with it is a call of its own: all hooks run, the peer is in
// process, and nothing but deadline, cancellation and the outgoing metadata
// crosses from the caller's context, so a handler that calls another method does
// not lend it its caller's identity. The one exception is a gateway of the same
// stack, whose REST call the RPC continues.
//
// Each side has its own copy of every message, and what the wire would refuse to
// encode is refused here. Headers, trailers, deadlines, cancellation, message
// size options, per-RPC credentials and OnFinish work as over the wire.
// Compressors and codecs named by call options have no effect: nothing is sent.
//
// Every call fails INTERNAL while the server has start-up problems, and while
// interceptors are hidden in plain server options (see [WithInterceptors]).
type Conn struct{ server *Server }

var _ grpc.ClientConnInterface = (*Conn)(nil)

func newConn(s *Server) *Conn { return &Conn{server: s} }

// Methods returns the methods of the server's services, see [Server.Methods].
// The gateway builds its routes from them.
func (c *Conn) Methods() []*interceptor.Method { return c.server.Methods() }

// ResolvesFor tells whether the connection continues calls of the stack. It is
// for package httpadapter/gateway.
func (c *Conn) ResolvesFor(stack any) bool { return stack == any(c.server.core.stack) }

// open checks that the connection works and reads the call options.
func (c *Conn) open(ctx context.Context, method string, opts []grpc.CallOption) (*callOptions, error) {
	if err := c.server.connProblem(); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	o, err := readOptions(opts)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, o.finish(status.FromContextError(err).Err())
	}
	if method == "" || method[0] != '/' {
		return nil, o.finish(status.Errorf(codes.Unimplemented, "malformed method name: %q", method))
	}
	return o, nil
}

// dispatch is one call of a Conn: what client and server side share.
type dispatch struct {
	conn   *Conn
	opts   *callOptions
	target *target
	call   *interceptor.Call // the call that is continued, nil for a call of its own
	ctx    context.Context   // the server side's
	stream serverTransport
	leave  func()
}

// sameStack tells whether ctx belongs to a call of the server's own stack: then
// the hooks of that stack see this dispatch, continued or not.
func (c *Conn) sameStack(ctx context.Context) bool {
	caller, ok := interceptor.CallFrom(ctx)
	return ok && ops.StackOf(caller) == c.server.core.stack
}

// start claims the caller's call or hides it, and makes the server side's
// context.
func (c *Conn) start(ctx context.Context, method string, o *callOptions) (*dispatch, error) {
	d := &dispatch{conn: c, opts: o, target: c.server.find(method)}
	d.stream.method = method
	d.call = ops.Claim(ctx, c.server.core.stack, method)
	md, err := incoming(ctx, method, o, c.sameStack(ctx))
	if err != nil {
		return nil, err
	}
	entered, leave, err := c.server.enterInProcess(ctx)
	if err != nil {
		return nil, err
	}
	d.leave = leave
	d.ctx = serverContext(entered, md, d)
	return d, nil
}
