package grpcadapter

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// NewStream starts a streaming call. The handler runs on a goroutine of its own,
// which ends with ctx at the latest as far as the handler heeds its context.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	o, err := c.open(ctx, method, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	d, err := c.start(ctx, method, o)
	if err != nil {
		cancel()
		return nil, o.finish(err)
	}
	d.stream.onSent = make(chan struct{})
	p := &pipe{
		dispatch: d, clientCtx: ctx, cancel: cancel, serverStreams: desc.ServerStreams,
		up: make(chan any, upBuffer), down: make(chan any), upClosed: make(chan struct{}), done: make(chan struct{}),
	}
	if d.call != nil {
		if x, ok := ops.Transport(d.call).(interface{ BeforeEnd(f func()) }); ok {
			x.BeforeEnd(func() { // the HTTP side ends the call after the dispatch has
				cancel()
				<-p.done
			})
		}
	}
	go p.serve()
	return (*clientSide)(p), nil
}

// upBuffer is how many messages a client may be ahead of the handler, as it may
// be by a flow-control window on the wire: a client that sends before it listens
// and a handler that greets before it listens must not wait for each other.
const upBuffer = 16

// pipe is one stream in process. A message of the handler is handed over when
// the client takes it.
type pipe struct {
	*dispatch
	clientCtx     context.Context
	cancel        context.CancelFunc
	serverStreams bool

	up, down  chan any
	closeOnce sync.Once
	upClosed  chan struct{} // CloseSend
	done      chan struct{} // the server side has ended
	err       error         // its status, set before done

	finished  sync.Once
	delivered bool // the one reply of a call with a single response
}

// serve runs the server side.
func (p *pipe) serve() {
	defer p.leave()
	err := status.Error(codes.Internal, "the handler ended its goroutine")
	defer func() {
		p.err = err
		p.stream.leaveHeaders()
		close(p.done)
	}()
	side := (*serverSide)(p)
	if p.target == nil || p.target.unary == nil {
		err = p.conn.server.runStream(side, p.stream.method, p.target)
		return
	}
	resp, failed := p.conn.server.runUnary(p.ctx, p.target, side.RecvMsg)
	if err = failed; err == nil {
		err = side.SendMsg(resp)
	}
}

// over ends the stream for the client with err, io.EOF for a success.
func (p *pipe) over(err error) error {
	p.finished.Do(func() {
		if errors.Is(err, io.EOF) {
			_ = p.opts.finish(nil)
		} else {
			_ = p.opts.finish(err)
		}
		p.opts.report(&p.stream)
		p.cancel()
	})
	return err
}

// clientSide is the stream as its caller sees it.
type clientSide pipe

var _ grpc.ClientStream = (*clientSide)(nil)

// Context returns the stream's context.
func (s *clientSide) Context() context.Context { return s.clientCtx }

// Header waits for the headers.
func (s *clientSide) Header() (metadata.MD, error) {
	select {
	case <-s.stream.onSent:
	case <-s.clientCtx.Done():
		select {
		case <-s.stream.onSent:
		default:
			return nil, status.FromContextError(s.clientCtx.Err()).Err()
		}
	}
	header, _ := s.stream.results()
	return header.Copy(), nil
}

// Trailer returns the trailers once the stream has ended.
func (s *clientSide) Trailer() metadata.MD {
	_, trailer := s.stream.results()
	return trailer.Copy()
}

// CloseSend says that no message follows.
func (s *clientSide) CloseSend() error {
	s.closeOnce.Do(func() { close(s.upClosed) })
	return nil
}

// SendMsg hands m over. When the stream has ended it returns io.EOF, and RecvMsg
// says why.
func (s *clientSide) SendMsg(m any) error {
	select {
	case <-s.upClosed:
		return status.Error(codes.Internal, "SendMsg called after CloseSend")
	default:
	}
	size, err := encodedSize(m)
	if err == nil && size > s.opts.maxSend {
		err = tooLarge("trying to send", size, s.opts.maxSend)
	}
	if err != nil {
		return (*pipe)(s).over(err)
	}
	copied, err := clone(m)
	if err != nil {
		return err
	}
	select {
	case s.up <- copied:
		return nil
	case <-s.done:
		return io.EOF
	case <-s.clientCtx.Done():
		return io.EOF
	}
}

// RecvMsg takes the next message, or the status that ended the stream.
func (s *clientSide) RecvMsg(m any) error {
	p := (*pipe)(s)
	if !s.serverStreams {
		return p.receiveOnly(m)
	}
	got, err := p.next()
	if err != nil {
		return p.over(err)
	}
	return p.take(m, got)
}

func (p *pipe) take(dst, got any) error {
	size, err := encodedSize(got)
	if err == nil && size > p.opts.maxRecv {
		err = tooLarge("received", size, p.opts.maxRecv)
	}
	if err == nil {
		err = deliver(dst, got)
	}
	if err != nil {
		return p.over(err)
	}
	return nil
}

// receiveOnly takes the single reply and waits for the status, as grpc-go does
// for client streams.
func (p *pipe) receiveOnly(m any) error {
	if p.delivered {
		return p.over(io.EOF)
	}
	got, err := p.next()
	if errors.Is(err, io.EOF) {
		return p.over(status.Error(codes.Internal, "cardinality violation: received no response message from non-server-streaming RPC"))
	}
	if err != nil {
		return p.over(err)
	}
	p.delivered = true
	if err := p.take(m, got); err != nil {
		return err
	}
	switch _, err := p.next(); {
	case errors.Is(err, io.EOF):
		_ = p.over(io.EOF)
		return nil
	case err == nil:
		return p.over(status.Error(codes.Internal, "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message"))
	default:
		return p.over(err)
	}
}

// next returns the next message, io.EOF after a success, or the status.
func (p *pipe) next() (any, error) {
	select {
	case got := <-p.down:
		return got, nil
	case <-p.done:
	case <-p.clientCtx.Done():
		select { // what has ended counts more than the context that ended it
		case <-p.done:
		default:
			return nil, status.FromContextError(p.clientCtx.Err()).Err()
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return nil, io.EOF
}

// serverSide is the stream as the server sees it.
type serverSide pipe

var _ grpc.ServerStream = (*serverSide)(nil)

// Context returns what serverContext made.
func (s *serverSide) Context() context.Context { return s.ctx }

// SetHeader adds to the headers.
func (s *serverSide) SetHeader(md metadata.MD) error { return s.stream.SetHeader(md) }

// SendHeader lets the headers leave.
func (s *serverSide) SendHeader(md metadata.MD) error { return s.stream.SendHeader(md) }

// SetTrailer adds to the trailers.
func (s *serverSide) SetTrailer(md metadata.MD) { _ = s.stream.SetTrailer(md) }

// SendMsg returns when the client has taken m.
func (s *serverSide) SendMsg(m any) error {
	if _, err := encodedSize(m); err != nil {
		return err
	}
	copied, err := clone(m)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if err := s.ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	s.stream.leaveHeaders()
	select {
	case s.down <- copied:
		return nil
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
}

// RecvMsg takes the client's next message, or io.EOF after CloseSend.
func (s *serverSide) RecvMsg(m any) error {
	select {
	case got := <-s.up:
		return deliver(m, got)
	default:
	}
	select {
	case got := <-s.up:
		return deliver(m, got)
	case <-s.upClosed:
		select { // the last messages were sent before
		case got := <-s.up:
			return deliver(m, got)
		default:
			return io.EOF
		}
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
}
