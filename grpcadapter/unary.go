package grpcadapter

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// unaryState is what a unary dispatch keeps between the layers it passes.
type unaryState struct {
	chain    grpc.UnaryServerInterceptor // the user's, nil without
	req      any                         // of a direct call, what decodes it
	info     *grpc.UnaryServerInfo
	handler  grpc.UnaryHandler
	resp     any
	size     int  // encoded size of the reply, -1 if unknown
	reached  bool // generated code has called aroundHandler
	received bool // OnReceive has run
	broken   bool // the request could not be decoded; only where decode was wrapped
	direct   bool // the method handler gets no interceptor: nothing is around the user's
}

// errAnswered ends a handler's side whose request a hook has answered. It never
// leaves the adapter.
var errAnswered = errors.New("crosscut: a hook has answered the call")

// serveUnary runs a unary RPC: through the stack, decode, and the user's
// interceptors to its handler. handler is what decodes and calls it, nil for the
// user's original method handler.
func (c *core) serveUnary(ctx context.Context, t *target, handler grpc.MethodHandler, l link, dec func(any) error, chain grpc.UnaryServerInterceptor) (resp any, err error) {
	// One allocation; see rpc.
	both := &struct {
		rpc   rpc
		unary unaryState
	}{
		rpc:   rpc{core: c, target: t, ctx: ctx, wire: grpc.ServerTransportStreamFromContext(ctx)},
		unary: unaryState{chain: chain, size: -1},
	}
	r := &both.rpc
	r.unary = &both.unary
	r.begin(l)
	defer r.endUnary(&resp, &err)
	before := ops.Inner(r.call)
	if r.admit() {
		resp, err = r.decodeAndRun(before, handler, dec)
	} else if ops.Failed(r.call) == nil {
		err = r.outcome(nil)
	}
	return r.replyUnary(resp, err)
}

// decodeAndRun calls the user's original method handler, which decodes the
// request and calls aroundHandler.
func (r *rpc) decodeAndRun(before context.Context, handler grpc.MethodHandler, dec func(any) error) (any, error) {
	r.freeBody()
	r.flush()
	needs := ops.Needs(r.call)
	if handler == nil {
		if needs == (driver.Needs{}) && r.unary.chain == nil && !r.target.nested {
			return r.runDirect(before, dec)
		}
		handler = r.target.runUnary
	}
	watched := needs.Messages || r.target.nested
	if watched {
		dec = r.watch(dec)
	}
	if r.target.nested {
		r.flags.dispatch(true)
	}
	resp, err := handler(r.target.srv, r.handlerContext(before), dec, r.core.intercept)
	r.flags.dispatch(false)
	switch {
	case r.unary.reached, err != nil && watched && !r.unary.broken:
		if errors.Is(err, errAnswered) {
			return nil, r.outcome(nil)
		}
		return resp, r.outcome(err)
	case err != nil:
		return nil, r.undecodable(err)
	case needs.Handler:
		return nil, ops.Misuse("the handler of " + r.Path() + " ignores its interceptor argument, so WrapHandler hooks did not run; call the interceptor as generated code does, or scope those hooks with When")
	}
	return resp, r.outcome(nil)
}

// runDirect calls a method handler with nothing around the user's: no hook sees
// messages or wraps the handler, and the user has no interceptors. Without the
// interceptor argument generated code spares itself two allocations.
func (r *rpc) runDirect(before context.Context, dec func(any) error) (any, error) {
	r.unary.direct, r.unary.req = true, dec
	err := ops.Handle(r.call, r.handlerContext(before))
	if err != nil && r.unary.broken {
		return nil, r.undecodable(err)
	}
	return r.unary.resp, r.outcome(err)
}

// decode decodes the request of a direct call.
func (r *rpc) decode(msg any) error {
	if err := r.unary.req.(func(any) error)(msg); err != nil {
		r.unary.broken = true
		return err
	}
	return r.receive(msg)
}

// watch wraps dec where hooks see messages, or where an error before the handler
// may come from another layer. OnReceive runs here rather than in aroundHandler,
// because a hand-written handler may not call that.
func (r *rpc) watch(dec func(any) error) func(any) error {
	return func(msg any) error {
		if err := dec(msg); err != nil {
			r.unary.broken = true
			return err
		}
		return r.receive(msg)
	}
}

func (r *rpc) receive(msg any) error {
	if r.unary.received {
		return nil
	}
	r.unary.received = true
	if err := ops.Receive(r.call, msg, r.receivedSize()); err != nil {
		return err
	}
	if ops.Answered(r.call) != nil {
		return errAnswered
	}
	return nil
}

// receivedSize is what to count for the message received last: nothing where the
// HTTP side counts the bytes of its body, and unknown on the wire, where nobody
// computes it for us.
func (r *rpc) receivedSize() int {
	if r.transcoded() {
		return 0
	}
	if s, ok := r.wire.(sizer); ok {
		return s.receivedSize()
	}
	return -1
}

// sentSize is the same for the message that a stream sent last.
func (r *rpc) sentSize() int {
	if r.transcoded() {
		return 0
	}
	if s, ok := r.wire.(sizer); ok {
		return s.sentSize()
	}
	return -1
}

// aroundHandler is the interceptor argument of every wrapped method: it runs
// OnReceive and the WrapHandler chain. The user's interceptors run inside, so
// their errors and replies are the handler's.
func (c *core) aroundHandler(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	r := running(ctx, c.stack)
	if r == nil {
		return nil, ops.Misuse("a method handler passed on a context that is not derived from the one it received")
	}
	u := r.unary
	u.reached, u.req, u.info, u.handler = true, req, info, handler
	if err := r.receive(req); err != nil {
		return nil, err
	}
	if err := ops.Handle(r.call, ctx); err != nil {
		return nil, err
	}
	return u.resp, nil
}

// Invoke runs the user's handler, inside the user's interceptors.
func (r *rpc) Invoke(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = ops.Panicked(v)
		}
	}()
	switch u := r.unary; {
	case u == nil:
		return r.flow.run(ctx)
	case u.direct:
		u.resp, err = r.target.runUnary(r.target.srv, ctx, r.decode, nil)
		return err
	}
	return r.invokeUnary(r.withoutDeleted(ctx))
}

func (r *rpc) invokeUnary(ctx context.Context) (err error) {
	u := r.unary
	if u.chain == nil {
		r.flags.dispatch(false) // the user's code begins
		u.resp, err = u.handler(ctx, u.req)
		return err
	}
	r.flags.dispatch(true)
	u.resp, err = u.chain(ctx, u.req, u.info, func(ctx context.Context, req any) (any, error) {
		r.flags.dispatch(false) // the user's code begins
		return u.handler(ctx, req)
	})
	return err
}

// Response is what the handler returned last; WrapHandler hooks read it. Streams
// have sent theirs.
func (r *rpc) Response() any {
	if r.unary == nil {
		return nil
	}
	return r.unary.resp
}

// undecodable settles a call whose request could not be read. Over the wire
// grpc-go has sent the status already (since 1.84), so hooks only observe it.
func (r *rpc) undecodable(err error) error {
	if r.inProcess() {
		return err
	}
	r.sent(err)
	return err
}

// sent records an error whose status grpc-go has written by itself.
func (r *rpc) sent(err error) {
	if status.Code(err) == codes.Canceled { // any other ends the context itself
		err = r.outcome(err)
	}
	if !r.linked() {
		ops.Commit(r.call)
	}
	_ = ops.Fail(r.call, err, true)
	r.settled = true
}

// replyUnary settles the answer and hands its headers to grpc-go, which encodes
// what is returned.
func (r *rpc) replyUnary(resp any, err error) (any, error) {
	if r.settled {
		return nil, r.clientError(ops.Failed(r.call))
	}
	resp, err = ops.Answer(r.call, resp, err)
	resp, err = ops.Respond(r.call, resp, err)
	if err == nil {
		err = r.refuseHTTP(resp)
	}
	r.writeHeaders()
	r.writeTrailers()
	r.settled = true
	if err != nil {
		return nil, r.clientError(err)
	}
	if r.transcoded() {
		ops.Sent(r.call, 1, 0)
	} else {
		ops.Sent(r.call, 1, r.unary.size)
	}
	return resp, nil
}
