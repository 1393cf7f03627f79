package grpcadapter

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Invoke makes a unary call. A continued REST call runs on the caller's
// goroutine; so does any call whose caller cannot give up. Otherwise Invoke
// returns when ctx ends, as over the wire, even if the handler does not.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if t := c.server.find(method); t != nil && t.unary == nil {
		return c.invokeStream(ctx, method, args, reply, opts)
	}
	o, err := c.open(ctx, method, opts)
	if err != nil {
		return err
	}
	size, err := encodedSize(args)
	if err == nil && size > o.maxSend {
		err = tooLarge("trying to send", size, o.maxSend)
	}
	if err != nil {
		return o.finish(err)
	}
	d, err := c.start(ctx, method, o)
	if err != nil {
		return o.finish(err)
	}
	if d.call != nil || ctx.Done() == nil {
		return d.invoke(args, reply)
	}
	request, err := clone(args) // the handler may outlive this call
	if err != nil {
		d.leave()
		return o.finish(err)
	}
	return d.invokeApart(ctx, request, reply)
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
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(reply)
}

// invoke runs the handler here and now.
func (d *dispatch) invoke(args, reply any) error {
	defer d.leave()
	resp, err := d.handle(args)
	return d.receive(resp, reply, err)
}

// invokeApart runs the handler on a goroutine of its own.
func (d *dispatch) invokeApart(ctx context.Context, args, reply any) error {
	type result struct {
		resp any
		err  error
	}
	done := make(chan result, 1)
	go func() {
		defer d.leave()
		var r result
		defer func() { done <- r }() // also when the handler ends the goroutine
		r.err = status.FromContextError(context.Canceled).Err()
		r.resp, r.err = d.handle(args)
	}()
	select {
	case r := <-done:
		return d.receive(r.resp, reply, r.err)
	case <-ctx.Done():
		select {
		case r := <-done:
			return d.receive(r.resp, reply, r.err)
		default:
			return d.opts.finish(status.FromContextError(ctx.Err()).Err())
		}
	}
}

// handle runs the server side.
func (d *dispatch) handle(args any) (any, error) {
	if d.target == nil { // the hooks run as over the wire
		return nil, d.conn.server.runStream(noMessages{d.ctx}, d.stream.method, nil)
	}
	decode := func(dst any) error { return deliver(dst, args) }
	return d.conn.server.runUnary(d.ctx, d.target, decode)
}

// receive gives the caller what the server side answered.
func (d *dispatch) receive(resp, reply any, err error) error {
	d.stream.leaveHeaders()
	d.opts.report(&d.stream)
	if err == nil && d.stream.size > d.opts.maxRecv {
		err = tooLarge("received", d.stream.size, d.opts.maxRecv)
	}
	if err == nil {
		err = deliver(reply, resp)
	}
	return d.opts.finish(err)
}

// noMessages is the server side of a call that no handler answers.
type noMessages struct{ ctx context.Context }

func (s noMessages) Context() context.Context       { return s.ctx }
func (s noMessages) SetHeader(md metadata.MD) error { return grpc.SetHeader(s.ctx, md) }
func (s noMessages) SendHeader(md metadata.MD) error {
	return grpc.SendHeader(s.ctx, md)
}
func (s noMessages) SetTrailer(md metadata.MD) { _ = grpc.SetTrailer(s.ctx, md) }
func (noMessages) SendMsg(any) error           { return errNoTransport }
func (noMessages) RecvMsg(any) error           { return errNoTransport }
