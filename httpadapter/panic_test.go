package httpadapter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// TestPanicBeforeCommit is a 500 without the panic's text; the stack goes to the
// operator and the connection stays usable.
func TestPanicBeforeCommit(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := serveHTTP(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })))
	for range 2 {
		got := get(t, s, "/")
		if got.StatusCode != 500 || strings.Contains(got.body, "secret") || got.Close {
			t.Errorf("got %d %q, close %v", got.StatusCode, got.body, got.Close)
		}
		end := tr.end(t)
		var p *interceptor.PanicError
		if !errors.As(end.err, &p) || p.Value != "secret" || !strings.Contains(string(p.Stack), "TestPanicBeforeCommit") {
			t.Errorf("AfterResponse saw %v", end.err)
		}
	}
	if len(tr.reported()) != 2 {
		t.Errorf("reported %v", tr.reported())
	}
}

// TestAbortedResponses: what has begun and cannot be finished is cut off, over
// both protocols, and AfterResponse still runs once.
func TestAbortedResponses(t *testing.T) {
	t.Parallel()
	begin := func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		status  int
		report  bool
	}{
		{"panic after commit", func(w http.ResponseWriter, _ *http.Request) { begin(w); panic("secret") }, 200, true},
		{"panic after an error status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); begin(w); panic("secret") }, 500, true},
		{"abort before commit", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, false},
		{"abort after commit", func(w http.ResponseWriter, _ *http.Request) { begin(w); panic(http.ErrAbortHandler) }, 200, false},
		{"goexit before commit", func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, 0, false},
		{"goexit after commit", func(w http.ResponseWriter, _ *http.Request) { begin(w); runtime.Goexit() }, 200, false},
	}
	for _, test := range tests {
		for name, start := range servers {
			if name == "h2" && strings.HasPrefix(test.name, "goexit") {
				continue // the HTTP/2 server leaves such a stream open
			}
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				s := start(t, muxWith(tr.two(nil), "/", test.handler))
				resp, err := s.Client().Do(request(t, s, "GET", "/", ""))
				if err == nil {
					defer func() { _ = resp.Body.Close() }()
					_, err = io.ReadAll(resp.Body)
				}
				if err == nil {
					t.Error("the response looks complete")
				}
				end := tr.end(t)
				if end.status != test.status || end.err == nil {
					t.Errorf("AfterResponse saw %d %v, want %d", end.status, end.err, test.status)
				}
				if got := len(tr.reported()) > 0; got != test.report {
					t.Errorf("reported %v", tr.reported())
				}
				if strings.Count(tr.String(), "AR1") != 1 || strings.Count(tr.String(), "OE1") != 1 {
					t.Errorf("phases %s", tr)
				}
			})
		}
	}
}

var servers = map[string]func(*testing.T, http.Handler) *server{"h1": serveHTTP, "h2": serveHTTP2}

// TestAbortKeepsItsMeaning: the panic leaves ServeHTTP, also where a hook would
// recover the call or a handler returns the error.
func TestAbortKeepsItsMeaning(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.Handler{
		"panicked": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"returned": failing(http.ErrAbortHandler),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := tr.two(func(f *interceptor.Funcs) {
				f.OnError = func(_ context.Context, call *interceptor.Call, err error) error {
					return errors.Join(call.ReplyHTTP(200, "text/plain", []byte("all fine")))
				}
			})
			defer func() {
				if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // the very value counts
					t.Errorf("ServeHTTP panicked with %v", v)
				}
				if end := tr.end(t); end.status != 0 {
					t.Errorf("AfterResponse saw %d", end.status)
				}
			}()
			if got := record(muxWith(stack, "/", h), "GET", "/"); got.Body.Len() > 0 {
				t.Errorf("wrote %q", got.Body)
			}
		})
	}
}

// TestPanicOutsideTheHandler: code around layers is recovered as handlers are.
func TestPanicOutsideTheHandler(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	h := httpadapter.Wrap(tr.two(nil), http.NotFoundHandler(), httpadapter.Routes(func(*http.Request) (string, bool) { panic("secret") }))
	got := get(t, serveHTTP(t, h), "/")
	if got.StatusCode != 500 || strings.Contains(got.body, "secret") {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
	tr.end(t)
	tr.want(t, "BR1 BR2 OE2 OE1 RS2 RS1 AR2 AR1")
}
