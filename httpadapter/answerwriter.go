package httpadapter

import (
	"net/http"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// answerWriter is an exchange as the ResponseWriter for the answer that stands:
// an error, or the reply of a hook. The phases have run when it is used.
type answerWriter exchange

// Header returns the live header map.
func (w *answerWriter) Header() http.Header { return w.inner.Header() }

// WriteHeader commits the answer. A status that would turn a failure into a
// success is refused by writing nothing: the renderer has failed then. On gRPC
// the status is in the header block of a 200.
func (w *answerWriter) WriteHeader(status int) {
	x := (*exchange)(w)
	failed := ops.Failed(&x.call) != nil
	switch {
	case x.wrote, failed && !x.toGRPC() && status < http.StatusBadRequest, status > 999:
		return
	case status == http.StatusRequestEntityTooLarge:
		x.closeTooLarge()
	}
	x.applyDefaults()
	x.applyTrailers(false)
	(*writer)(x).mark(status)
	x.inner.WriteHeader(status)
}

// toGRPC tells whether a gRPC server answers, of this stack or another: then the
// status of a failure is not the HTTP status.
func (x *exchange) toGRPC() bool { return x.kind == driver.GRPC || x.foreign }

// Write drops what comes before a status: for an error there is no implicit one.
func (w *answerWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		return len(p), nil
	}
	n, err := w.inner.Write(p)
	return (*writer)(w).count(n, err)
}

// Flush sends what has been written, if the inner writer can.
func (w *answerWriter) Flush() {
	if w.wrote {
		_ = http.NewResponseController(w.inner).Flush() // no more than an attempt
	}
}

// Unwrap lets an http.ResponseController reach deadlines.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.inner }
