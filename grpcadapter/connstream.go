package grpcadapter

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// NewStream starts a streaming call. Generated clients call it. The handler runs
// on a goroutine of its own; as over the wire, that is released when ctx ends,
// or when the caller has received the stream's last message and status.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	p := &pipe{
		origin: ctx, manyUp: desc.ClientStreams, manyDown: desc.ServerStreams,
		halfClosed: make(chan struct{}), done: make(chan struct{}),
	}
	p.stream.onSent = make(chan struct{})
	if err := p.open(ctx, c, c.server.find(method), method, opts); err != nil {
		return nil, err
	}
	p.up, p.down = newQueue(false), newQueue(p.server.call != nil)
	p.client, p.cancelClient = context.WithCancel(peer.NewContext(ctx, &peer.Peer{Addr: inProcessAddr{}}))
	p.watch()
	p.endWithCaller()
	go p.serve()
	return (*clientSide)(p), nil
}

// pipe is one stream in process. A continued call hands every message over: its
// handler goes on when the HTTP side has taken what it sent, and after the first
// when that asks for more. The first message has then been written and the answer
// is committed, whatever hooks try next. On others a sender may be ahead.
type pipe struct {
	dispatch
	origin   context.Context // the caller's, as it was given
	client   context.Context // the client side's
	manyUp   bool            // what the client thinks of the method: it sends many messages
	manyDown bool            // and receives many

	cancelClient context.CancelFunc

	up, down   *queue
	halfClose  sync.Once
	halfClosed chan struct{} // no more messages from the client

	done chan struct{} // the server side has ended
	err  error         // with what; set before done

	answered  bool // a client of a single response has received it
	requested bool // a method of a single request has received it

	mu        sync.Mutex
	stopWatch func() bool
	finished  bool  // the client side has ended
	final     error // with what; io.EOF is success
}

// watch ends the client side when the caller's context does, even if the caller
// never looks at the stream again.
func (p *pipe) watch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopWatch = context.AfterFunc(p.origin, func() { _ = p.over(p.ended(p.origin)) })
}

// endWithCaller makes the HTTP side of a continued call wait for the server side
// before it ends the call, so that AfterResponse comes last.
func (p *pipe) endWithCaller() {
	if p.server.call == nil {
		return
	}
	if outer, ok := ops.Transport(p.server.call).(interface{ BeforeEnd(f func()) }); ok {
		outer.BeforeEnd(func() {
			p.server.end(nil)
			<-p.done
		})
	}
}

// serve runs the server side.
func (p *pipe) serve() {
	defer p.leave()
	err := errGoexit // unless the handler returns
	defer func() {
		p.err = err
		p.stream.end()
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

// errGoexit is what a caller gets whose handler ended its goroutine. The wire
// would leave the caller waiting; hooks see the reason.
var errGoexit = status.Error(codes.Internal, "the handler ended without an answer")

// over ends the client side with err, io.EOF for a success, and returns what it
// ended with.
func (p *pipe) over(err error) error {
	p.mu.Lock()
	if p.finished {
		defer p.mu.Unlock()
		return p.final
	}
	p.finished, p.final = true, err
	p.stopWatch()
	p.server.end(p.cause(err)) // before the caller goes on, so that the outcome is what it got
	p.cancelClient()
	p.opts.report(&p.stream)
	p.mu.Unlock()
	if errors.Is(err, io.EOF) {
		p.opts.finish(nil)
	} else {
		p.opts.finish(err)
	}
	return err
}

// cause is why the server side is cancelled when the client side ends with err.
// The two sides of a continued call are one call, so its outcome is err; a call
// of its own learns no more than over the wire.
func (p *pipe) cause(err error) error {
	if p.server.call == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// ending returns what the client side has ended with, or nil.
func (p *pipe) ending() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.final
}

// result is how the server side ended; p.done is closed.
func (p *pipe) result() error {
	if p.err != nil {
		return p.err
	}
	return io.EOF
}
