package grpcadapter

import (
	"context"
	"reflect"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Conn is a connection to a [Server] within the process, for generated clients:
// all four kinds of call, without a socket. It is safe for concurrent use and
// needs no closing; [Server.Stop] and [Server.GracefulStop] end it.
//
// A call made with it is a call of its own: all hooks run, the peer is in
// process, and nothing but deadline, cancellation and the outgoing metadata
// crosses from the caller's context, so a handler that calls another method does
// not lend it its caller's identity. Such a call runs on a goroutine of its own
// and its caller is released when the context ends, as over the wire. The one
// exception is a gateway of the same stack, whose REST call the RPC continues;
// if it is unary, it does so on the gateway's goroutine.
//
// Each side has its own copy of every message. What the wire would refuse is
// refused here with the same status: messages that cannot be encoded or exceed
// the size limits of either side, illegal metadata, the wrong number of
// messages. Headers, trailers, deadlines, cancellation, flow control and the
// call options Header, Trailer, Peer, OnFinish, CallAuthority, PerRPCCredentials
// and MaxCall…MsgSize work as over the wire; credentials that require transport
// security are refused.
//
// Since nothing is sent, options that name a codec or a compressor have no
// effect, only protobuf messages can be carried, stats handlers and the server's
// own unknown-service handler do not run, and the metadata lacks what a
// transport adds (content-type, user-agent, and :authority unless CallAuthority
// gives one).
//
// Every call fails INTERNAL while the server has start-up problems, and while
// interceptors are hidden in plain server options (see [WithInterceptors]).
type Conn struct {
	server  *Server
	maxRecv int // what the server accepts
	maxSend int // what the server sends
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

func newConn(s *Server) *Conn {
	c := &Conn{server: s}
	c.maxRecv, c.maxSend = limitsOf(s.grpc)
	return c
}

// Methods returns the methods of the server's services, see [Server.Methods].
// The gateway builds its routes from them.
func (c *Conn) Methods() []*interceptor.Method { return c.server.Methods() }

// ResolvesFor tells whether the connection continues calls of the stack, an
// *interceptor.Stack. It is for package httpadapter/gateway.
func (c *Conn) ResolvesFor(stack any) bool { return stack == any(c.server.core.stack) }

// dispatch is one call of a Conn: what client and server side share.
type dispatch struct {
	conn   *Conn
	opts   callOptions
	target *target
	ctx    context.Context // the server side's: &server, or what wraps it
	server serverContext
	stream serverTransport
}

// open prepares a call: it checks that the connection works, reads the options,
// claims the caller's call or hides it, and makes the server side's context. The
// caller must call leave when the server side has ended.
func (d *dispatch) open(ctx context.Context, c *Conn, t *target, method string, opts []grpc.CallOption) error {
	d.conn, d.target = c, t
	d.stream.method, d.stream.maxSend = method, c.maxSend
	d.opts.read(opts)
	err := d.enter(ctx, method)
	if err != nil {
		d.opts.finish(err)
	}
	return err
}

func (d *dispatch) enter(ctx context.Context, method string) error {
	server := d.conn.server
	if err := server.connProblem(); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	if malformed(method) {
		return status.Errorf(codes.Unimplemented, "malformed method name: %q", method)
	}
	md, err := d.incoming(ctx, method, d.conn.sameStack(ctx))
	if err != nil {
		return err
	}
	// Nothing but a stopped server keeps the dispatch from running from here on,
	// so the one claim of the caller's call is not wasted.
	d.server.call = ops.Claim(ctx, server.core.stack, method)
	if d.server.call == nil {
		ctx = withoutValues{ctx}
	}
	c := &d.server
	c.parent, c.stream, c.md = ctx, &d.stream, md
	if d.ctx = c; !answersAll {
		d.ctx = c.wrapped()
	}
	return server.inside.enter(&c.lifetime)
}

// leave ends the server side of a dispatch that was opened.
func (d *dispatch) leave() { d.conn.server.inside.leave(&d.server.lifetime) }

// sameStack tells whether ctx belongs to a call of the server's own stack: then
// the hooks of that stack see this dispatch, continued or not.
func (c *Conn) sameStack(ctx context.Context) bool {
	caller, ok := interceptor.CallFrom(ctx)
	return ok && ops.StackOf(caller) == c.server.core.stack
}

// malformed tells whether grpc-go would not even look for the method: there is
// no "/" at the start, or no other one after it.
func malformed(method string) bool {
	rest, rooted := strings.CutPrefix(method, "/")
	return !rooted || !strings.Contains(rest, "/")
}

// ended is what a caller gets when the dispatch ends before its answer: its own
// context has ended, or the server was stopped. In a call that is continued, hooks
// may have ended the context, and their reason is that of the call.
func (d *dispatch) ended(caller context.Context) error {
	if err := caller.Err(); err != nil {
		if cause := context.Cause(caller); d.server.call != nil && hasStatus(cause) {
			return cause
		}
		return status.FromContextError(err).Err()
	}
	return interceptor.StatusOf(context.Cause(d.ctx)).Err()
}

// limitsOf returns the message size limits of a server, or grpc-go's defaults
// should a version of it keep them elsewhere.
func limitsOf(server *grpc.Server) (receive, send int) {
	opts := reflect.ValueOf(server).Elem().FieldByName("opts")
	read := func(field string, otherwise int) int {
		if opts.Kind() == reflect.Struct {
			if f := opts.FieldByName(field); f.CanInt() {
				return int(f.Int())
			}
		}
		return otherwise
	}
	return read("maxReceiveMessageSize", defaultMaxRecv), read("maxSendMessageSize", defaultMaxSend)
}
