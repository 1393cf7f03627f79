package httpadapter

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"reflect"
)

//go:generate go test -run TestAbilityTypes -update .

// The optional abilities of a ResponseWriter, as bits of an index into
// abilityTypes. Handlers find them by type assertion, so each combination needs
// a type of its own: one that shows an ability the inner writer lacks is as wrong
// as one that hides it.
const (
	canFlush       = 1 << iota // http.Flusher
	canFlushError              // FlushError() error, as http.ResponseController looks for
	canHijack                  // http.Hijacker
	canReadFrom                // io.ReaderFrom
	canPush                    // http.Pusher
	canWriteString             // io.StringWriter
	canCloseNotify             // http.CloseNotifier
)

type errorFlusher interface{ FlushError() error }

// abilitiesOf returns what w can do, going by its type and never by the
// protocol: middleware may have taken something away.
func abilitiesOf(w http.ResponseWriter) int {
	can := 0
	if _, ok := w.(http.Flusher); ok {
		can |= canFlush
	}
	if _, ok := w.(errorFlusher); ok {
		can |= canFlushError
	}
	if _, ok := w.(http.Hijacker); ok {
		can |= canHijack
	}
	if _, ok := w.(io.ReaderFrom); ok {
		can |= canReadFrom
	}
	if _, ok := w.(http.Pusher); ok {
		can |= canPush
	}
	if _, ok := w.(io.StringWriter); ok {
		can |= canWriteString
	}
	if _, ok := w.(http.CloseNotifier); ok { //nolint:staticcheck // deprecated, but handlers may still ask for it
		can |= canCloseNotify
	}
	return can
}

// writerType is a type of ResponseWriter and what its methods make it able to do.
type writerType struct {
	of  reflect.Type
	can int
}

// writer returns what handlers write to: the exchange with the abilities of the
// inner writer.
func (x *exchange) writer() http.ResponseWriter {
	known, of := &x.config.writers, reflect.TypeOf(x.inner)
	first := known.Load()
	if first == nil {
		first = &writerType{of, abilitiesOf(x.inner)}
		known.Store(first)
	}
	can := first.can
	if first.of != of {
		can = abilitiesOf(x.inner)
	}
	return abilityTypes[can]((*writer)(x))
}

// Unwrap returns the inner writer, for http.ResponseController: deadlines and
// full duplex need nothing from the call. Flushing and hijacking do, and where
// the inner writer only wraps one that can, ResponseController would go past the
// call; there a writer is returned that has both and goes through it.
func (w *writer) Unwrap() http.ResponseWriter {
	can := abilitiesOf(w.inner)
	if can&(canFlush|canFlushError) == 0 && reaches(w.inner, canFlush|canFlushError) || can&canHijack == 0 && reaches(w.inner, canHijack) {
		return (*hiddenAbilities)(w)
	}
	return w.inner
}

// reaches tells whether a writer below w, through Unwrap, has one of the
// abilities.
func reaches(w http.ResponseWriter, abilities int) bool {
	for range maxDepth {
		if abilitiesOf(w)&abilities != 0 {
			return true
		}
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = outer.Unwrap()
	}
	return false
}

// hiddenAbilities is a writer whose inner writer can flush or hijack only through
// its own Unwrap.
type hiddenAbilities writer

func (w *hiddenAbilities) Header() http.Header         { return (*writer)(w).Header() }
func (w *hiddenAbilities) WriteHeader(status int)      { (*writer)(w).WriteHeader(status) }
func (w *hiddenAbilities) Write(p []byte) (int, error) { return (*writer)(w).Write(p) }
func (w *hiddenAbilities) Unwrap() http.ResponseWriter { return w.inner }

// FlushError commits the response and flushes as far below as there is a writer
// that can.
func (w *hiddenAbilities) FlushError() error {
	if !reaches(w.inner, canFlush|canFlushError) {
		return http.ErrNotSupported
	}
	if !(*writer)(w).commit(http.StatusOK) {
		return (*writer)(w).refusal()
	}
	w.flushed.Store(true)
	return http.NewResponseController(w.inner).Flush()
}

// Hijack runs BeforeResponse and hijacks as far below as there is a writer that
// can.
func (w *hiddenAbilities) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !reaches(w.inner, canHijack) {
		return nil, nil, http.ErrNotSupported
	}
	return (*writer)(w).hijack(http.NewResponseController(w.inner).Hijack)
}

// ability0 is a writer without optional abilities. The types in
// abilities_types.go each add one method to another; all of them are one pointer
// wide, so that making an http.ResponseWriter of them allocates nothing.
type ability0 struct{ *writer }

func (w ability0) hijackInner() (net.Conn, *bufio.ReadWriter, error) {
	return w.hijack(w.inner.(http.Hijacker).Hijack)
}

func (w ability0) push(path string, opts *http.PushOptions) error {
	return w.inner.(http.Pusher).Push(path, opts)
}

func (w ability0) closeNotify() <-chan bool {
	return w.inner.(http.CloseNotifier).CloseNotify() //nolint:staticcheck // handlers may still ask for it
}
