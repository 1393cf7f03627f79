package grpcadapter

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// httpReplyError is what a dispatch in process returns for a reply that is an
// HTTP response: the layer that began the call finds it with Ops.Answered and
// writes it.
type httpReplyError struct{}

func (*httpReplyError) Error() string {
	return "crosscut: a hook has answered the call with ReplyHTTP"
}

func (*httpReplyError) GRPCStatus() *status.Status {
	return status.New(codes.Internal, "answered over HTTP")
}

// refuseHTTP returns the error for an answer that is no message, nil for one
// that is.
func (r *rpc) refuseHTTP(resp any) error {
	if _, isHTTP := resp.(*driver.HTTPReply); !isHTTP {
		return nil
	}
	if r.inProcess() {
		return &httpReplyError{}
	}
	err := ops.Misuse("ReplyHTTP on " + r.Path() + ", which answers gRPC; use Reply with the response message")
	_ = ops.Fail(r.call, err, true) // too late for another reply
	return err
}

// clientError is what the client gets for err: always a status, never text that
// was not written for clients. An outer layer in process learns that the hooks
// have seen it.
func (r *rpc) clientError(err error) error {
	var reply *httpReplyError
	if errors.As(err, &reply) {
		return reply
	}
	st := interceptor.StatusOf(err)
	if r.inProcess() {
		st = httpwire.Encodable(st)
	}
	if r.transcoded() {
		return httpwire.Settled{Err: st.Err()}
	}
	return st.Err()
}

// outcome corrects what the handler returned by the end of the transport's
// context: whatever the handler says, the client gets CANCELLED or
// DEADLINE_EXCEEDED then.
func (r *rpc) outcome(err error) error {
	if r.ctx.Err() == nil {
		return err
	}
	over := &overError{ended: context.Canceled, handler: err}
	if deadline, ok := r.ctx.Deadline(); ok && expired(r.call.StartTime(), deadline, time.Now()) {
		over.ended = context.DeadlineExceeded
	}
	if cause := context.Cause(r.ctx); hasStatus(cause) {
		over.ended = cause
	}
	if err != nil && interceptor.StatusOf(err).Code() == interceptor.StatusOf(over.ended).Code() {
		return err // it says the same, perhaps with more
	}
	return over
}

// expired tells whether a context that ended now did so because of its deadline.
// Its Err does not tell: grpc-go cancels the context of an expired stream, and a
// client whose deadline has passed resets the stream, which may arrive a moment
// before the deadline as this side reckons it, from the arrival of the headers.
func expired(start, deadline, now time.Time) bool {
	early := min(deadline.Sub(start)/10, 100*time.Millisecond)
	return !now.Before(deadline.Add(-early))
}

func hasStatus(err error) bool {
	var carrier interface{ GRPCStatus() *status.Status }
	return errors.As(err, &carrier)
}

// overError is the outcome of a call whose client has gone.
type overError struct {
	ended   error
	handler error // what the handler returned all the same, or nil
}

func (e *overError) Error() string {
	if e.handler == nil {
		return e.ended.Error()
	}
	return e.ended.Error() + " (the handler returned: " + e.handler.Error() + ")"
}

func (e *overError) Unwrap() []error {
	if e.handler == nil {
		return []error{e.ended}
	}
	return []error{e.ended, e.handler}
}

func (e *overError) GRPCStatus() *status.Status { return interceptor.StatusOf(e.ended) }

// endUnary ends the call on every path out of serveUnary.
func (r *rpc) endUnary(resp *any, err *error) {
	if !r.settled {
		if v := recover(); v != nil { // a codec, or a handler before it decodes
			*resp, *err = r.replyUnary(nil, ops.Panicked(v))
		} else {
			r.abandoned()
		}
	}
	r.end()
}

// endStream ends the call on every path out of serveStream.
func (r *rpc) endStream(err *error) {
	if !r.settled {
		if v := recover(); v != nil {
			*err = r.finishStream(ops.Panicked(v))
		} else {
			r.abandoned()
		}
	}
	r.end()
}

// abandoned records that runtime.Goexit is ending the goroutine: as on a bare
// server, the client gets nothing.
func (r *rpc) abandoned() {
	_ = ops.Fail(r.call, ops.Misuse("the handler of "+r.Path()+" ended its goroutine with runtime.Goexit, so the client gets no answer; return an error instead (in tests, t.Fatal belongs to the test's goroutine)"), true)
}

func (r *rpc) end() {
	if r.flow != nil {
		_ = r.flow.stop(errHandlerReturned)
	}
	if !r.linked() {
		ops.End(r.call, 0)
	}
	if r.mount != nil {
		r.mount.leave()
	}
}
