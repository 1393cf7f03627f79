package grpcadapter

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// clientSide is a stream as its caller sees it. What its methods return, and
// when, is what grpc-go's clients return.
type clientSide pipe

var _ grpc.ClientStream = (*clientSide)(nil)

// Context returns the stream's context, which holds the peer.
func (s *clientSide) Context() context.Context { return s.client }

// Header waits for the headers. They are nil if the stream ended without any;
// RecvMsg then says why.
func (s *clientSide) Header() (metadata.MD, error) {
	p := (*pipe)(s)
	select {
	case <-p.stream.onSent:
	case <-p.ctx.Done():
	}
	header := p.stream.headers()
	if header == nil {
		if err := p.awaitResult(); !errors.Is(err, io.EOF) {
			_ = p.over(err)
		}
	}
	return header, nil
}

// Trailer returns the trailers once the stream has ended.
func (s *clientSide) Trailer() metadata.MD { return s.stream.trailers() }

// CloseSend says that no message follows.
func (s *clientSide) CloseSend() error {
	s.halfClose.Do(func() { close(s.halfClosed) })
	return nil
}

// SendMsg sends m. On a stream that has ended it returns io.EOF, and RecvMsg
// says why; its own errors end the stream.
func (s *clientSide) SendMsg(m any) error {
	p := (*pipe)(s)
	size, err := encodedSize(m)
	switch {
	case closed(p.halfClosed):
		err = status.Error(codes.Internal, "SendMsg called after CloseSend")
	case err == nil && size > p.opts.maxSend:
		err = tooLargeToSend(size, p.opts.maxSend)
	}
	if err != nil {
		_ = p.over(err) // if it has ended otherwise, this is still what is wrong here
		return err
	}
	sent := p.ending() == nil && !closed(p.done) &&
		p.up.put(message{clone(m), size}, p.done, p.ctx.Done())
	if !p.manyUp {
		return s.CloseSend() // generated code wants the status from RecvMsg
	}
	if !sent {
		return io.EOF
	}
	return nil
}

// RecvMsg receives the next message, or what the stream ended with.
func (s *clientSide) RecvMsg(m any) error {
	p := (*pipe)(s)
	if err := p.ending(); err != nil {
		return err
	}
	if p.manyDown {
		return p.receive(m)
	}
	return p.receiveOnly(m)
}

// receiveOnly receives the single response, and then waits for the status.
func (p *pipe) receiveOnly(m any) error {
	if err := p.receive(m); err != nil {
		return err
	}
	switch _, err := p.next(); {
	case err == nil:
		return p.over(status.Error(codes.Internal, "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message"))
	case errors.Is(err, io.EOF):
		_ = p.over(io.EOF)
		return nil
	default:
		return p.over(err)
	}
}

func (p *pipe) receive(m any) error {
	got, err := p.next()
	if errors.Is(err, io.EOF) && !p.manyDown && !p.answered {
		err = status.Error(codes.Internal, "cardinality violation: received no response message from non-server-streaming RPC")
	}
	if err == nil && got.size > p.opts.maxRecv {
		err = tooLargeToReceive(got.size, p.opts.maxRecv)
	}
	if err == nil {
		err = deliver(m, got.msg)
	}
	if err != nil {
		return p.over(err)
	}
	p.answered = true
	return nil
}

// next returns the next message or how the stream ended: first what was sent,
// then the status, then the end of the caller's patience.
func (p *pipe) next() (message, error) {
	p.down.ask()
	for {
		if got, ok := p.down.take(); ok {
			return got, nil
		}
		select {
		case <-p.down.added:
			continue
		case <-p.done:
		case <-p.ctx.Done():
		}
		if !closed(p.done) {
			return message{}, p.ended(p.origin)
		}
		if got, ok := p.down.take(); ok { // sent since the first look
			return got, nil
		}
		return message{}, p.result()
	}
}

// awaitResult waits for the end of a stream that has sent nothing.
func (p *pipe) awaitResult() error {
	select {
	case <-p.done:
	case <-p.ctx.Done():
	}
	if closed(p.done) {
		return p.result()
	}
	return p.ended(p.origin)
}
