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

// serverSide is a stream as the server sees it, below the stack.
type serverSide pipe

var _ grpc.ServerStream = (*serverSide)(nil)

// Context returns what serverContext made.
func (s *serverSide) Context() context.Context { return s.ctx }

// SetHeader adds to the headers. Unlike grpc.SetHeader it refuses keys in upper
// case, as streams of grpc-go do.
func (s *serverSide) SetHeader(md metadata.MD) error {
	if err := checkPairs(md); err != nil {
		return err
	}
	return s.stream.SetHeader(md)
}

// SendHeader lets the headers leave.
func (s *serverSide) SendHeader(md metadata.MD) error {
	if err := checkPairs(md); err != nil {
		return err
	}
	return s.stream.SendHeader(md)
}

// SetTrailer adds to the trailers.
func (s *serverSide) SetTrailer(md metadata.MD) {
	_ = s.stream.SetTrailer(md) // the method of a stream has no error to return
}

// SendMsg sends m, and the headers before the first message.
func (s *serverSide) SendMsg(m any) error {
	if err := s.stream.encode(m); err != nil {
		return err
	}
	if err := s.ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	s.stream.commit()
	if !s.down.put(message{clone(m), s.stream.encoded}, s.ctx.Done(), nil) {
		return status.FromContextError(s.ctx.Err()).Err()
	}
	return nil
}

// RecvMsg receives the client's next message, or io.EOF when there is none. A
// method of a single request also waits for the client to say that it was the
// only one.
func (s *serverSide) RecvMsg(m any) error {
	p := (*pipe)(s)
	single := p.target == nil || p.target.stream == nil || !p.target.stream.ClientStreams
	got, err := p.nextRequest()
	if errors.Is(err, io.EOF) && single && !p.requested {
		return status.Error(codes.Internal, "cardinality violation: received no request message from non-client-streaming RPC")
	}
	if err != nil {
		return err
	}
	if limit := p.conn.maxRecv; got.size > limit {
		return tooLargeToReceive(got.size, limit)
	}
	if err := deliver(m, got.msg); err != nil {
		return err
	}
	p.stream.received, p.requested = got.size, true
	if !single {
		return nil
	}
	switch _, err := p.nextRequest(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return status.Error(codes.Internal, "cardinality violation: received multiple request messages for non-client-streaming RPC")
}

// nextRequest returns the next message of the client, or io.EOF after the last.
func (p *pipe) nextRequest() (message, error) {
	for {
		if got, ok := p.up.take(); ok {
			return got, nil
		}
		select {
		case <-p.up.added:
		case <-p.halfClosed:
			if got, ok := p.up.take(); ok { // sent before the client's side was closed
				return got, nil
			}
			if err := p.ctx.Err(); err != nil { // closed because it was given up
				return message{}, status.FromContextError(err).Err()
			}
			return message{}, io.EOF
		case <-p.ctx.Done():
			return message{}, status.FromContextError(p.ctx.Err()).Err()
		}
	}
}
