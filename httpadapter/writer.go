package httpadapter

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// writer is an exchange as the ResponseWriter that handlers get. It is the same
// memory with other methods, so handing it out allocates nothing; which of the
// optional abilities show is decided in abilities.go.
type writer exchange

// errReplaced is returned to a handler whose response a hook has replaced.
var errReplaced = errors.New("crosscut: a hook has replaced this response; what the handler writes goes nowhere")

// errCut is returned to a handler that goes on streaming when a hook's context has
// ended.
var errCut = errors.New("crosscut: the context that a hook gave this stream has ended (its credential has expired, say); what the handler writes goes nowhere")

// Header returns the live header map, also after WriteHeader: trailers are set
// there.
func (w *writer) Header() http.Header { return w.inner.Header() }

// WriteHeader passes informational statuses on. The first final one commits the
// response; further ones reach the inner writer, which complains about them.
func (w *writer) WriteHeader(status int) {
	if w.wrote || w.hijacked || status < 100 || status > 999 || status < 200 && status != http.StatusSwitchingProtocols {
		if !w.replaced {
			w.inner.WriteHeader(status)
		}
		return
	}
	if w.commit(status) {
		w.inner.WriteHeader(status)
	}
}

// Write commits a 200 if nothing has been committed.
func (w *writer) Write(p []byte) (int, error) {
	if !w.commit(http.StatusOK) {
		return 0, w.refusal()
	}
	n, err := w.inner.Write(p)
	return w.count(n, err)
}

func (w *writer) writeString(s string) (int, error) {
	if !w.commit(http.StatusOK) {
		return 0, w.refusal()
	}
	n, err := w.inner.(io.StringWriter).WriteString(s)
	return w.count(n, err)
}

// readFrom hands src itself to the inner writer: only for files and sockets it
// knows does the system copy without the program.
func (w *writer) readFrom(src io.Reader) (int64, error) {
	if w.replaced || w.cut() || !w.wrote && !w.hijacked && !w.prepare(http.StatusOK) {
		return 0, w.refusal()
	}
	n, err := w.inner.(io.ReaderFrom).ReadFrom(src)
	if n > 0 && !w.hijacked { // an empty source commits nothing
		w.mark(http.StatusOK)
	}
	_, err = w.count(int(n), err)
	return n, err
}

func (w *writer) flush() {
	if w.commit(http.StatusOK) {
		w.flushed.Store(true)
		w.inner.(http.Flusher).Flush()
	}
}

func (w *writer) flushError() error {
	if !w.commit(http.StatusOK) {
		return w.refusal()
	}
	w.flushed.Store(true)
	return w.inner.(errorFlusher).FlushError()
}

// hijack runs BeforeResponse before the connection is given away: what the
// client is answered on it, no hook will see.
func (w *writer) hijack(hijack func() (net.Conn, *bufio.ReadWriter, error)) (net.Conn, *bufio.ReadWriter, error) {
	if w.replaced || !w.wrote && !w.hijacked && !w.prepare(http.StatusSwitchingProtocols) {
		return nil, nil, errReplaced
	}
	conn, rw, err := hijack()
	if err == nil {
		w.hijacked = true
		ops.Commit(&w.call)
	}
	return conn, rw, err
}

func (w *writer) count(n int, err error) (int, error) {
	if n > 0 && w.kind == driver.HTTP { // the gRPC side counts messages and their bytes
		ops.Sent(&w.call, 0, n)
	}
	if err != nil && w.writeErr == nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		failed := err // a copy, so that only failures allocate
		w.writeErr = &failed
	}
	return n, err
}

// commit makes status the status of the response unless it has one. False means
// that hooks had it otherwise: another answer has gone out, or the stream has ended.
func (w *writer) commit(status int) bool {
	if w.wrote || w.hijacked { // the inner writer says what is wrong after Hijack
		return !w.replaced && !w.cut()
	}
	if !w.prepare(status) {
		return false
	}
	w.mark(status)
	return true
}

// cut ends the stream of a plain handler that goes on after the context that hooks
// gave it has ended, as streams of gRPC end: who ignores the end of a credential must
// not outlive it. A handler that has flushed is one that streams; any other may finish.
func (w *writer) cut() bool {
	if !w.flushed.Load() || w.handler == nil || w.kind != driver.HTTP || w.hijacked || w.replaced {
		return false
	}
	ctx := ops.Inner(&w.call)
	if ctx.Err() == nil || w.received.Context().Err() != nil {
		return false
	}
	x := (*exchange)(w)
	x.fail(context.Cause(ctx), true)
	x.aborted = true // what the client has must not look complete
	return true
}

// refusal is why commit or cut let nothing pass.
func (w *writer) refusal() error {
	if w.replaced {
		return errReplaced
	}
	return errCut
}

func (w *writer) mark(status int) {
	if !w.wrote {
		w.wrote, w.status = true, int32(status)
		ops.Commit(&w.call)
	}
}

// prepare runs the phases that come before the header leaves. It may run twice
// where the first attempt to write came to nothing.
func (w *writer) prepare(status int) bool {
	x := (*exchange)(w)
	if x.replaced || !x.judge(status) {
		return false
	}
	if status == http.StatusRequestEntityTooLarge {
		x.closeTooLarge()
	}
	if !x.ran && ops.Answered(&x.call) != nil && x.call.Received().Messages == 0 {
		x.closeUnread() // a layer writes the reply of a hook without having read anything
	}
	x.applyDefaults()
	if x.kind == driver.HTTP {
		x.applyTrailers(false)
	}
	return true
}

// judge lets hooks see the response that the handler begins, and answers instead
// if they refuse it, or if the call has failed in the meantime.
func (x *exchange) judge(status int) bool {
	failed := ops.Failed(&x.call)
	if x.kind == driver.GRPC && (status < http.StatusBadRequest || failed != nil) {
		return true // the gRPC side has run the phases
	}
	if failed == nil {
		resp, err := x.outcome()
		if resp != nil || err != nil {
			x.ran = true
			x.respond(resp, err)
			return false
		}
		if status >= http.StatusBadRequest {
			x.fail(&interceptor.StatusError{HTTPStatus: status}, true)
			failed = ops.Failed(&x.call)
		}
	}
	resp, err := ops.Respond(&x.call, nil, failed)
	if resp == nil && !differs(failed, err) {
		return true
	}
	x.ran = true
	x.write(resp, err)
	return false
}

// outcome finds out whether the call has come to an answer or a failure that
// goes before what the handler writes.
func (x *exchange) outcome() (any, error) {
	if x.handler == nil && x.call.Method() == nil && x.holdsMessage() {
		if err := ops.Fail(&x.call, errUnsendable, false); err != nil {
			return nil, err
		}
		return ops.Answered(&x.call), nil
	}
	err := x.takeNoted(nil)
	if x.handler == nil && err == nil {
		return nil, nil // a layer settles its outcome itself
	}
	return ops.Answer(&x.call, nil, err)
}
