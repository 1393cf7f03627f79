package grpcadapter

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Invoke makes a unary call. Generated clients call it. A continued REST call
// runs on the caller's goroutine, which is the request's; any other runs on its
// own, and Invoke returns when ctx ends even if the handler does not.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	t := c.server.find(method)
	if t != nil && t.unary == nil {
		return c.invokeStream(ctx, method, args, reply, opts)
	}
	u := &unary{args: args}
	if err := u.open(ctx, c, t, method, opts); err != nil {
		return err
	}
	defer u.release()
	var err error
	u.size, err = encodedSize(args)
	if err == nil && u.size > u.opts.maxSend {
		err = tooLargeToSend(u.size, u.opts.maxSend)
	}
	switch {
	case err != nil:
		u.leave()
		return u.over(err)
	case u.server.call != nil:
		return u.run(reply)
	default:
		return u.runApart(ctx, reply)
	}
}

// invokeStream makes a unary call of a streaming method, which the wire allows.
func (c *Conn) invokeStream(ctx context.Context, method string, args, reply any, opts []grpc.CallOption) error {
	stream, err := c.NewStream(ctx, &grpc.StreamDesc{}, method, opts...)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(args); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return stream.RecvMsg(reply)
}

// unary is one unary call.
type unary struct {
	dispatch
	size int // of args, encoded

	mu   sync.Mutex
	args any // the caller's message, nil once Invoke has returned
	gone bool
}

// run runs the handler here and now.
func (u *unary) run(reply any) error {
	defer u.leave()
	resp, err := u.handle()
	u.stream.finishUnary(err)
	return u.receive(resp, reply, err)
}

// runApart runs the handler on a goroutine of its own.
func (u *unary) runApart(ctx context.Context, reply any) error {
	type result struct {
		resp any
		err  error
	}
	done := make(chan result, 1)
	go func() {
		defer u.leave()
		r := result{err: errGoexit} // unless the handler returns
		defer func() {
			u.stream.finishUnary(r.err)
			done <- r
		}()
		r.resp, r.err = u.handle()
	}()
	select {
	case r := <-done:
		return u.receive(r.resp, reply, r.err)
	case <-u.ctx.Done(): // rather than the caller's: hooks must agree on the outcome
	}
	select {
	case r := <-done: // an answer counts more than the end of the caller's patience
		return u.receive(r.resp, reply, r.err)
	default:
		return u.over(u.ended(ctx))
	}
}

// handle runs the server side.
func (u *unary) handle() (any, error) {
	if u.target == nil { // the hooks run as over the wire
		return nil, u.conn.server.runStream(noMessages{u.ctx, &u.stream}, u.stream.method, nil)
	}
	return u.conn.server.runUnary(u.ctx, u.target, u.decode)
}

// decode gives the handler its own copy of the request. A handler that runs on
// after its caller has gone no longer sees the caller's message.
func (u *unary) decode(dst any) error {
	if limit := u.conn.maxRecv; u.size > limit {
		return tooLargeToReceive(u.size, limit)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.gone {
		return status.FromContextError(context.Canceled).Err()
	}
	u.stream.received = u.size
	return deliver(dst, u.args)
}

// release takes the caller's message back.
func (u *unary) release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.args, u.gone = nil, true
}

// receive gives the caller what the server side answered.
func (u *unary) receive(resp, reply any, err error) error {
	if size := u.stream.encoded; err == nil && size > u.opts.maxRecv {
		err = tooLargeToReceive(size, u.opts.maxRecv)
	}
	if err == nil {
		err = deliver(reply, resp)
	}
	return u.over(err)
}

// over tells the caller's options how the call ended, and returns err.
func (u *unary) over(err error) error {
	u.opts.report(&u.stream)
	u.opts.finish(err)
	return err
}

// finishUnary is the end of a unary call: a reply takes the headers with it.
func (s *serverTransport) finishUnary(err error) {
	if err == nil {
		s.commit()
	}
	s.end()
}

// noMessages is the server side of a unary call that no handler answers.
type noMessages struct {
	ctx    context.Context
	stream *serverTransport
}

var _ grpc.ServerStream = noMessages{}

// Context returns what serverContext made.
func (s noMessages) Context() context.Context { return s.ctx }

// SetHeader adds to the headers.
func (s noMessages) SetHeader(md metadata.MD) error { return s.stream.SetHeader(md) }

// SendHeader lets the headers leave.
func (s noMessages) SendHeader(md metadata.MD) error { return s.stream.SendHeader(md) }

// SetTrailer adds to the trailers.
func (s noMessages) SetTrailer(md metadata.MD) { _ = s.stream.SetTrailer(md) }

// SendMsg fails: a method that does not exist has no response.
func (noMessages) SendMsg(any) error { return errNoTransport }

// RecvMsg fails: the request of a method that does not exist is not read.
func (noMessages) RecvMsg(any) error { return errNoTransport }
