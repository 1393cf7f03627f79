package httpadapter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// TestClientGone: a call whose client left is CANCELLED, whatever its handler
// returns, and ends once.
func TestClientGone(t *testing.T) {
	t.Parallel()
	for name, finish := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"writes nothing":     func(http.ResponseWriter, *http.Request) error { return nil },
		"returns the end":    func(_ http.ResponseWriter, r *http.Request) error { return r.Context().Err() },
		"returns what broke": func(http.ResponseWriter, *http.Request) error { return errTest },
		"was writing": func(w http.ResponseWriter, r *http.Request) error {
			_, _ = io.WriteString(w, "too late")
			return http.NewResponseController(w).Flush()
		},
	} {
		for proto, start := range servers {
			t.Run(name+"/"+proto, func(t *testing.T) {
				t.Parallel()
				tr, running := newTrace(), make(chan struct{})
				s := start(t, muxWith(tr.two(nil), "/", httpadapter.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
					close(running)
					<-r.Context().Done()
					return finish(w, r)
				})))
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-running
					cancel()
				}()
				if resp, err := s.Client().Do(request(t, s, "GET", "/", "").WithContext(ctx)); err == nil {
					_ = resp.Body.Close()
					t.Error("the client got an answer")
				}
				end := tr.end(t)
				if end.code != "Canceled" {
					t.Errorf("AfterResponse saw %s: %v", end.code, end.err)
				}
				if len(tr.reported()) != 0 {
					t.Errorf("a client that leaves is no bug: %v", tr.reported())
				}
			})
		}
	}
}

// TestClientGoneMidway: a stream that was cut off is no success.
func TestClientGoneMidway(t *testing.T) {
	t.Parallel()
	for proto, start := range servers {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := start(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "data: 1\n\n")
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})))
			ctx, cancel := context.WithCancel(t.Context())
			resp, err := s.Client().Do(request(t, s, "GET", "/", "").WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			_ = resp.Body.Close()
			if end := tr.end(t); end.code != "Canceled" || end.status != 200 {
				t.Errorf("AfterResponse saw %s %d", end.code, end.status)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 RS2 RS1 OE2 OE1 AR2 AR1")
		})
	}
}

// TestDeadlines: the deadline of a hook is 504 for the client, and that of a
// layer outside DEADLINE_EXCEEDED for the hooks.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	waits := httpadapter.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	})
	t.Run("of a hook", func(t *testing.T) {
		t.Parallel()
		tr := newTrace()
		stack := tr.two(func(f *interceptor.Funcs) {
			f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
				ctx, cancel := context.WithDeadline(ctx, time.Now())
				call.Defer(cancel)
				return ctx, nil
			}
		})
		got := get(t, serveHTTP(t, muxWith(stack, "/", waits)), "/")
		if end := tr.end(t); got.StatusCode != 504 || end.code != "DeadlineExceeded" || end.status != 504 {
			t.Errorf("got %d, AfterResponse saw %s %d", got.StatusCode, end.code, end.status)
		}
	})
	t.Run("of http.TimeoutHandler", func(t *testing.T) {
		t.Parallel()
		tr := newTrace()
		got := record(http.TimeoutHandler(muxWith(tr.two(nil), "/", waits), time.Nanosecond, "slow"), "GET", "/")
		if end := tr.end(t); got.Code != 503 || end.code != "DeadlineExceeded" {
			t.Errorf("got %d, AfterResponse saw %s", got.Code, end.code)
		}
	})
}

// brokenWriter fails every write, as a connection does that is gone.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, errTest }

// TestFailedWrite: with the context over, a failed write is the outcome even
// where the length was announced; without, the handler may have had its reasons.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{true, false} {
		tr := newTrace()
		ctx, cancel := context.WithCancel(t.Context())
		mux := muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			if _, err := w.Write([]byte("x")); !errors.Is(err, errTest) {
				t.Errorf("Write: %v", err)
			}
			if gone {
				cancel()
			}
		}))
		mux.ServeHTTP(brokenWriter{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		cancel()
		if end := tr.end(t); (end.code == "Canceled") != gone || end.sent.Bytes != 0 {
			t.Errorf("gone %v: AfterResponse saw %s %v", gone, end.code, end.sent)
		}
	}
}

// TestCompleteResponse: who got all that was announced and then left, got it.
func TestCompleteResponse(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	record(muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1")
		_, _ = io.WriteString(w, "x")
		cancel()
	})), "GET", "/", func(r *http.Request) { *r = *r.WithContext(ctx) })
	if end := tr.end(t); end.code != "OK" || end.status != 200 {
		t.Errorf("AfterResponse saw %s %d", end.code, end.status)
	}
}
