package grpcadapter

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
)

// flow is the stream of one dispatch as the user's interceptors and handler see
// it: every message passes the hooks.
type flow struct {
	rpc   *rpc
	path  string // the full method name as it was sent
	wire  grpc.ServerStream
	ctx   context.Context
	next  func(grpc.ServerStream) error
	leash context.Context // ends the stream before the transport does; nil without

	started   bool                  // headers were handed over; the sender's
	stopped   atomic.Pointer[error] // why no message passes any more
	wireError atomic.Pointer[error] // the status that the transport sent by itself

	recvMu sync.Mutex // one receiver at a time, read-ahead included
	ahead  any        // a message read before the handler asked for it
}

var _ grpc.ServerStream = (*flow)(nil)

var errHandlerReturned = status.Error(codes.Internal, "the stream was used after its handler returned")

// serveStream runs a streaming RPC through the stack. next is what is further
// in: the user's interceptors and handler. A nil target is an unknown method.
func (c *core) serveStream(ss grpc.ServerStream, path string, t *target, l link, next func(grpc.ServerStream) error) (err error) {
	ctx := ss.Context()
	// One allocation; see rpc.
	both := &struct {
		rpc  rpc
		flow flow
	}{
		rpc:  rpc{core: c, target: t, ctx: ctx, wire: grpc.ServerTransportStreamFromContext(ctx)},
		flow: flow{path: path, wire: ss, next: next},
	}
	r := &both.rpc
	r.flow = &both.flow
	r.flow.rpc = r
	r.begin(l)
	defer r.endStream(&err)
	if t == nil {
		return r.finishStream(r.unimplemented())
	}
	before := ops.Inner(r.call)
	if r.admit() {
		err = r.flow.handle(before)
	} else if ops.Failed(r.call) == nil {
		err = r.outcome(nil)
	}
	return r.finishStream(err)
}

// unimplemented runs the phases of a method that does not exist, up to the error
// that grpc-go would answer. No code of the user's would run, so BeforeHandler
// does not either.
func (r *rpc) unimplemented() error {
	if !r.linked() && !ops.Request(r.call) {
		return nil // the rejection or the reply stands
	}
	service, name := splitMethod(r.flow.path)
	if r.core.knowsService(r.ctx, service) {
		return status.Errorf(codes.Unimplemented, "unknown method %v for service %v", name, service)
	}
	return status.Errorf(codes.Unimplemented, "unknown service %v", service)
}

// handle runs the WrapHandler chain around the user's side.
func (f *flow) handle(before context.Context) error {
	r := f.rpc
	r.freeBody()
	r.flush()
	ctx := r.handlerContext(before)
	f.leashTo(ctx)
	err := ops.Handle(r.call, ctx)
	r.flags.dispatch(false)
	if stop := f.stopped.Load(); stop != nil {
		err = *stop
	} else if lost := f.wireError.Load(); lost != nil {
		err = *lost // also if the handler swallowed it
	} else if over := f.leashed(); over != nil {
		err = over
	}
	if errors.Is(err, errAnswered) {
		err = nil
	}
	return r.outcome(err)
}

// run is Invoke for streams.
func (f *flow) run(ctx context.Context) error {
	f.ctx = f.rpc.withoutDeleted(ctx)
	// Ours among grpc-go's stream interceptors, and the wrapped description, find
	// out by this that the stack is running.
	f.rpc.flags.dispatch(!f.rpc.inProcess() || f.rpc.target.nested)
	return f.next(f)
}

// finishStream settles the stream that its handler left with err.
func (r *rpc) finishStream(err error) error {
	f := r.flow
	if f.sentByWire(r) {
		return r.clientError(ops.Failed(r.call))
	}
	err = ops.Finish(r.call, err, f.reply)
	if f.sentByWire(r) { // sending the reply of a hook failed
		return r.clientError(ops.Failed(r.call))
	}
	if err == nil {
		err = r.refuseHTTP(ops.Answered(r.call))
	}
	r.writeHeaders()
	r.writeTrailers()
	r.settled = true
	if err != nil {
		return r.clientError(err)
	}
	return nil
}

// sentByWire records the first error of the transport as the outcome. On the
// wire its status has been sent, whatever the handler returned; in process it is
// an error like any other.
func (f *flow) sentByWire(r *rpc) bool {
	err := f.wireError.Load()
	if err == nil || r.inProcess() {
		return false
	}
	lost := *err
	if interceptor.StatusOf(lost).Code() == codes.Unavailable {
		lost = r.outcome(lost) // a send that failed because the client has left
	}
	r.sent(lost)
	return true
}

// reply sends the message that a hook answered with. It is outside of Invoke, so
// it recovers a codec's panic itself.
func (f *flow) reply(msg any) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = ops.Panicked(v)
		}
	}()
	if err := f.awaitMessage(); err != nil {
		return err
	}
	return f.send(msg)
}

// Context is what the hooks returned last.
func (f *flow) Context() context.Context { return f.ctx }

// SetHeader passes on; grpc-go merges it with what hooks set.
func (f *flow) SetHeader(md metadata.MD) error { return f.wire.SetHeader(md) }

// SetTrailer passes on.
func (f *flow) SetTrailer(md metadata.MD) { f.wire.SetTrailer(md) }

// SendHeader commits the headers, so BeforeResponse runs before.
func (f *flow) SendHeader(md metadata.MD) error {
	if err := f.mayPass(); err != nil {
		return err
	}
	if err := f.awaitMessage(); err != nil {
		return err
	}
	if !f.started {
		reply, err := ops.Respond(f.rpc.call, nil, nil)
		if err != nil {
			return f.stop(err)
		}
		if reply != nil {
			return f.stop(errAnswered) // Finish sends it
		}
		f.start()
	}
	return f.wire.SendHeader(md)
}

// start hands over the headers; they leave with what is sent next.
func (f *flow) start() {
	f.started = true
	f.rpc.writeHeaders()
	if !f.rpc.linked() {
		ops.Commit(f.rpc.call)
	}
}

// SendMsg passes m through OnSend and, before the first message, BeforeResponse.
func (f *flow) SendMsg(m any) error {
	if err := f.mayPass(); err != nil {
		return err
	}
	if err := f.awaitMessage(); err != nil {
		return err
	}
	return f.send(m)
}

func (f *flow) send(m any) error {
	r := f.rpc
	out, err := ops.Send(r.call, m)
	if err != nil {
		return f.stop(err)
	}
	if err := r.refuseHTTP(out); err != nil {
		return f.stop(err)
	}
	if !f.started {
		f.start()
	}
	if err := f.wire.SendMsg(out); err != nil {
		f.broke(err)
		return err
	}
	ops.Sent(r.call, 1, r.sentSize())
	return nil
}

// RecvMsg decodes the next request message into m and passes it through
// OnReceive.
func (f *flow) RecvMsg(m any) error {
	f.recvMu.Lock()
	defer f.recvMu.Unlock()
	if err := f.mayPass(); err != nil {
		return err
	}
	if f.ahead != nil {
		src := f.ahead
		f.ahead = nil
		if err := copyMessage(m, src); err != nil {
			return f.stop(err)
		}
		return nil
	}
	return f.receive(m)
}

// receive reads one message; recvMu is held.
func (f *flow) receive(m any) error {
	if err := f.recvWire(m); err != nil {
		if f.stopped.Load() == nil && !errors.Is(err, io.EOF) {
			f.broke(err)
		}
		return err
	}
	r := f.rpc
	if err := ops.Receive(r.call, m, r.receivedSize()); err != nil {
		return f.stop(err)
	}
	if !f.takesMany() && ops.Answered(r.call) != nil {
		return f.stop(errAnswered)
	}
	return nil
}

// broke remembers the status that the transport sent by itself. It is a function
// of its own so that messages which pass do not pay for the error's place.
func (f *flow) broke(err error) { f.wireError.CompareAndSwap(nil, &err) }

func (f *flow) takesMany() bool {
	k := f.rpc.target.method.Kind()
	return k == interceptor.ClientStream || k == interceptor.BidiStream
}

// mayPass returns why no message passes any more, or nil.
func (f *flow) mayPass() error {
	if err := f.stopped.Load(); err != nil {
		return *err
	}
	if err := f.leashed(); err != nil {
		return f.stop(err)
	}
	return nil
}

// stop lets no further message pass and returns err. The first reason stands.
func (f *flow) stop(err error) error {
	f.stopped.CompareAndSwap(nil, &err)
	return err
}
