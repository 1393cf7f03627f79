package httpadapter

import (
	"errors"
	"net/http"
	"reflect"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// Refuse writes the answer that stands instead of the handler's. Repeating it,
// and refusing a response that has begun, does nothing.
func (x *exchange) Refuse() {
	if !x.open() || ops.Ended(&x.call) {
		return
	}
	x.stand()
}

// refuse fails the call with err and answers it.
func (x *exchange) refuse(err error) {
	x.fail(err, !x.open())
	x.Refuse()
}

// fail records a failure. What hooks made of it is read where the answer is
// chosen.
func (x *exchange) fail(err error, sent bool) { _ = ops.Fail(&x.call, err, sent) }

// open tells whether the answer can still be chosen.
func (x *exchange) open() bool { return !x.wrote && !x.replaced && !x.hijacked }

// stand runs BeforeResponse for the outcome the call has, and writes it. A call
// without one ends as a handler does that wrote nothing.
func (x *exchange) stand() {
	err := ops.Failed(&x.call)
	var resp any
	if err == nil {
		resp = ops.Answered(&x.call)
	}
	x.respond(resp, err)
}

func (x *exchange) respond(resp any, err error) {
	resp, err = ops.Respond(&x.call, resp, err)
	if resp == nil && err == nil {
		// No WriteHeader: net/http then knows that the body is empty and says so
		// in Content-Length.
		x.applyDefaults()
		x.applyTrailers(false)
		return
	}
	x.write(resp, err)
}

// settle ends a plain handler that returned err: the answer that stands goes
// out, unless the handler has written its own.
func (x *exchange) settle(err error) {
	x.settled = true
	err = x.takeNoted(err)
	if !x.open() {
		x.failLate(err)
		return
	}
	if x.silence(err) {
		return
	}
	x.respond(ops.Answer(&x.call, nil, x.gone(err)))
}

// failLate takes a failure that comes when the response has begun. Where the
// handler's response would look complete to the client, the connection is
// aborted; a handler that wrote an error status has told the client already.
func (x *exchange) failLate(err error) {
	if err == nil || errors.Is(err, errReplaced) || errors.Is(err, errCut) {
		return
	}
	if failed := ops.Failed(&x.call); failed != nil && errors.Is(err, failed) {
		return
	}
	x.fail(x.blame(err), true)
	if errors.Is(err, http.ErrAbortHandler) || x.wrote && !x.replaced && (x.status < http.StatusBadRequest || panicked(err)) {
		x.aborted = true
	}
}

// crash ends a call whose handler, or a layer around it, panicked.
func (x *exchange) crash(err error) {
	switch {
	case !x.open():
		x.failLate(err)
	case !x.silence(err):
		x.fail(err, false)
		x.stand()
	}
}

// silence ends a call whose handler asked for the connection to be aborted: no
// answer is sent for it, and net/http must hear of it.
func (x *exchange) silence(err error) bool {
	if !errors.Is(err, http.ErrAbortHandler) {
		return false
	}
	x.fail(err, true)
	x.aborted, x.silent, x.replaced = true, true, true
	return true
}

func panicked(err error) bool {
	var p *interceptor.PanicError
	return errors.As(err, &p)
}

// write sends resp or err in the place of the handler's response.
func (x *exchange) write(resp any, err error) {
	if x.ran {
		x.dropHandlerHeaders()
	} else {
		x.closeUnread()
	}
	x.replaced = true
	reply, isHTTP := resp.(*driver.HTTPReply)
	if err == nil && !isHTTP { // OnError answered with a message before the method was known
		x.fail(errUnsendable, false)
		err = errUnsendable
	}
	if err != nil {
		x.writeError(err)
		return
	}
	w := (*answerWriter)(x)
	if reply.ContentType != "" {
		w.Header().Set("Content-Type", reply.ContentType)
	}
	w.WriteHeader(reply.Status)
	if len(reply.Body) > 0 {
		_, _ = w.Write(reply.Body) // a failure is remembered for the outcome
	}
}

// closeUnread lets an answer out that no handler has given, before the request
// has arrived. net/http reads up to 256 KiB of the body before it answers, and a
// client that does not send them would never learn that it was refused; with
// Connection: close it answers first. What it then reads to spare an honest
// sender a reset is bounded in time.
func (x *exchange) closeUnread() {
	if x.received.ProtoMajor != 1 || !hasBody(x.received) {
		return
	}
	x.inner.Header().Set("Connection", "close")
	// An inner writer without deadlines has no connection to wait for.
	_ = http.NewResponseController(x.inner).SetReadDeadline(time.Now().Add(refusalDrain))
}

// refusalDrain is how long a refused client may go on sending.
const refusalDrain = 500 * time.Millisecond

// closeTooLarge ends the connection after a 413 for a body, as
// http.MaxBytesReader does on a bare server: it looks for a method of net/http's
// own writer that no other writer can have.
func (x *exchange) closeTooLarge() {
	if x.received.ProtoMajor == 1 && hasBody(x.received) {
		x.inner.Header().Set("Connection", "close")
	}
}

// gone returns what became of a call whose client left before anything was
// written: whatever the handler made of it, nobody got an answer.
func (x *exchange) gone(err error) error {
	if err == nil && ops.Failed(&x.call) == nil && ops.Answered(&x.call) == nil {
		return x.received.Context().Err()
	}
	return x.blame(err)
}

// blame returns err with the end of the request's context as its reason, if that
// has ended and err has no status of its own: it is what the end made of whatever
// the handler was doing.
func (x *exchange) blame(err error) error {
	end := x.received.Context().Err()
	if err == nil || end == nil || interceptor.StatusOf(err).Code() != codes.Unknown {
		return err
	}
	return errors.Join(end, err)
}

// noteDisconnect finds out at the end whether the client missed a part of the
// response: the request's context has ended although the handler was not done,
// and the length the client was told has not been reached, or there was none.
func (x *exchange) noteDisconnect() {
	end := x.received.Context().Err()
	if end == nil || !x.wrote || x.kind == driver.GRPC || ops.Failed(&x.call) != nil {
		return
	}
	if x.writeErr == nil && x.inner.Header().Get("Content-Length") != "" {
		return
	}
	if x.writeErr != nil {
		end = errors.Join(end, *x.writeErr)
	}
	x.fail(end, true)
}

// differs tells whether BeforeResponse has put another error in the place of
// before. Error types need not be comparable; a replacement that the engine made
// always is.
func differs(before, after error) bool {
	if before == nil || after == nil {
		return (before == nil) != (after == nil)
	}
	t := reflect.TypeOf(before)
	if t != reflect.TypeOf(after) {
		return true
	}
	return reflect.ValueOf(before).Comparable() && reflect.ValueOf(after).Comparable() && before != after //nolint:errorlint // the very same error is asked for
}
