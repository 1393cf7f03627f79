package httpadapter

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
)

// able is an inner writer with every ability. It remembers which were used.
type able struct {
	*httptest.ResponseRecorder
	used int
}

func (w *able) Flush()            { w.used |= canFlush }
func (w *able) FlushError() error { w.used |= canFlushError; return nil }

func (w *able) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.used |= canHijack
	return nil, nil, nil
}

func (w *able) ReadFrom(io.Reader) (int64, error)    { w.used |= canReadFrom; return 1, nil }
func (w *able) Push(string, *http.PushOptions) error { w.used |= canPush; return nil }
func (w *able) WriteString(s string) (int, error)    { w.used |= canWriteString; return len(s), nil }
func (w *able) CloseNotify() <-chan bool             { w.used |= canCloseNotify; return nil }
func (w *able) Write(p []byte) (int, error)          { return len(p), nil }

// TestAbilityTypesDoWhatTheyShow: each type shows the abilities of its number and
// no other, and every one of them reaches the inner writer.
func TestAbilityTypesDoWhatTheyShow(t *testing.T) {
	t.Parallel()
	for can, typed := range abilityTypes {
		inner := &able{ResponseRecorder: httptest.NewRecorder()}
		h := Wrap(interceptor.MustNew(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			w := typed((*writer)(exchangeOf(r.Context())))
			if got := abilitiesOf(w); got != can {
				t.Errorf("type %b shows %b", can, got)
			}
			useAll(w)
		}))
		h.ServeHTTP(inner, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		if inner.used != can {
			t.Errorf("of type %b the abilities %b reached the inner writer", can, inner.used)
		}
	}
}

// useAll uses what w can do; the connection goes last.
func useAll(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	if f, ok := w.(errorFlusher); ok {
		_ = f.FlushError()
	}
	if f, ok := w.(io.ReaderFrom); ok {
		_, _ = f.ReadFrom(strings.NewReader("x"))
	}
	if f, ok := w.(http.Pusher); ok {
		_ = f.Push("/", nil)
	}
	if f, ok := w.(io.StringWriter); ok {
		_, _ = f.WriteString("x")
	}
	if f, ok := w.(http.CloseNotifier); ok { //nolint:staticcheck // deprecated, but handlers may still ask for it
		f.CloseNotify()
	}
	if f, ok := w.(http.Hijacker); ok {
		_, _, _ = f.Hijack()
	}
}
