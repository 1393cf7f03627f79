package httpadapter_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// abilities lists what a ResponseWriter shows, in a fixed order.
func abilities(w http.ResponseWriter) string {
	var has []string
	add := func(ok bool, name string) {
		if ok {
			has = append(has, name)
		}
	}
	_, ok := w.(http.Flusher)
	add(ok, "Flush")
	_, ok = w.(interface{ FlushError() error })
	add(ok, "FlushError")
	_, ok = w.(http.Hijacker)
	add(ok, "Hijack")
	_, ok = w.(io.ReaderFrom)
	add(ok, "ReadFrom")
	_, ok = w.(http.Pusher)
	add(ok, "Push")
	_, ok = w.(io.StringWriter)
	add(ok, "WriteString")
	_, ok = w.(http.CloseNotifier) //nolint:staticcheck // handlers may still ask for it
	add(ok, "CloseNotify")
	return strings.Join(has, " ")
}

// TestWriterKeepsAbilities compares what the handler is given with what the layer
// outside was given.
func TestWriterKeepsAbilities(t *testing.T) {
	t.Parallel()
	var inner, outer string
	mux := muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inner = abilities(w)
		if _, ok := w.(interface{ Unwrap() http.ResponseWriter }); !ok {
			t.Error("the writer has no Unwrap")
		}
	}))
	spy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer = abilities(w)
		mux.ServeHTTP(w, r)
	})
	timeout := http.TimeoutHandler(spy, time.Hour, "")
	for name, serve := range map[string]func(){
		"h1":           func() { get(t, serveHTTP(t, spy), "/") },
		"h2":           func() { get(t, serveHTTP2(t, spy), "/") },
		"recorder":     func() { record(spy, "GET", "/") },
		"timeout h1":   func() { get(t, serveHTTP(t, timeout), "/") },
		"another call": func() { get(t, serveHTTP(t, httpadapter.Wrap(newTrace().two(nil), spy)), "/") },
	} {
		inner, outer = "-", "+"
		if serve(); inner != outer {
			t.Errorf("%s: the handler's writer has %q, the server's %q", name, inner, outer)
		}
	}
}

// bare is a ResponseWriter without optional abilities.
type bare struct {
	header http.Header
	log    []string
	source io.Reader
}

func (w *bare) Header() http.Header         { return w.header }
func (w *bare) WriteHeader(status int)      { w.log = append(w.log, fmt.Sprint(status)) }
func (w *bare) Write(p []byte) (int, error) { w.log = append(w.log, "Write"); return len(p), nil }

func (w *bare) Flush()            { w.log = append(w.log, "Flush") }
func (w *bare) FlushError() error { w.log = append(w.log, "FlushError"); return nil }
func (w *bare) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.log = append(w.log, "Hijack")
	return nil, nil, nil
}
func (w *bare) ReadFrom(src io.Reader) (int64, error) {
	w.log, w.source = append(w.log, "ReadFrom"), src
	return 1, nil
}
func (w *bare) Push(string, *http.PushOptions) error { w.log = append(w.log, "Push"); return nil }
func (w *bare) WriteString(s string) (int, error) {
	w.log = append(w.log, "WriteString")
	return len(s), nil
}
func (w *bare) CloseNotify() <-chan bool { w.log = append(w.log, "CloseNotify"); return nil }

// The abilities of bare, one interface each, to be combined by embedding.
type (
	plain         interface{ http.ResponseWriter }
	flusher       interface{ Flush() }
	errorFlusher  interface{ FlushError() error }
	readerFrom    interface{ io.ReaderFrom }
	stringWriter  interface{ io.StringWriter }
	closeNotifier interface{ CloseNotify() <-chan bool }
)

// TestEveryAbilityReachesTheInnerWriter calls every ability a writer shows, for
// combinations that no server has too.
func TestEveryAbilityReachesTheInnerWriter(t *testing.T) {
	t.Parallel()
	combinations := map[string]func(*bare) http.ResponseWriter{
		"": func(b *bare) http.ResponseWriter { return struct{ plain }{b} },
		"Flush": func(b *bare) http.ResponseWriter {
			return struct {
				plain
				flusher
			}{b, b}
		},
		"FlushError": func(b *bare) http.ResponseWriter {
			return struct {
				plain
				errorFlusher
			}{b, b}
		},
		"Hijack": func(b *bare) http.ResponseWriter {
			return struct {
				plain
				http.Hijacker
			}{b, b}
		},
		"Flush Hijack ReadFrom": func(b *bare) http.ResponseWriter {
			return struct {
				plain
				flusher
				http.Hijacker
				readerFrom
			}{b, b, b, b}
		},
		"Push WriteString": func(b *bare) http.ResponseWriter {
			return struct {
				plain
				http.Pusher
				stringWriter
			}{b, b, b}
		},
		"CloseNotify": func(b *bare) http.ResponseWriter {
			return struct {
				plain
				closeNotifier
			}{b, b}
		},
		"Flush FlushError Hijack ReadFrom Push WriteString CloseNotify": func(b *bare) http.ResponseWriter { return b },
	}
	for want, combine := range combinations {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			b := &bare{header: http.Header{}}
			mux := muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if got := abilities(w); got != want {
					t.Errorf("got %q", got)
				}
				use(w)
			}))
			mux.ServeHTTP(combine(b), httptest.NewRequest("GET", "/", nil))
			if got := strings.Join(b.log, " "); got != want {
				t.Errorf("the inner writer was asked for %q, want %q", got, want)
			}
		})
	}
}

// use calls every ability of w.
func use(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	if f, ok := w.(errorFlusher); ok {
		_ = f.FlushError()
	}
	if f, ok := w.(http.Hijacker); ok {
		_, _, _ = f.Hijack()
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
	if f, ok := w.(closeNotifier); ok {
		f.CloseNotify()
	}
}

// TestReadFromHandsOnTheSource: only the same source lets the system copy.
func TestReadFromHandsOnTheSource(t *testing.T) {
	t.Parallel()
	b, src := &bare{header: http.Header{}}, strings.NewReader("x")
	mux := muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.(io.ReaderFrom).ReadFrom(src)
	}))
	mux.ServeHTTP(b, httptest.NewRequest("GET", "/", nil))
	if b.source != src {
		t.Errorf("the inner ReadFrom got %T %[1]p, want %p", b.source, src)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errTest }

// TestReadFromNothingCommitsNothing: a source that fails at once leaves room for
// an error status, as without hooks.
func TestReadFromNothingCommitsNothing(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	got := get(t, serveHTTP(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.(io.ReaderFrom).ReadFrom(brokenReader{}); err != nil {
			http.Error(w, "broken", 502)
		}
	}))), "/")
	end := tr.end(t)
	if got.StatusCode != 502 || end.status != 502 || end.code != "Unavailable" {
		t.Errorf("client got %d, AfterResponse saw %d %s", got.StatusCode, end.status, end.code)
	}
}

// TestImplicitStatus: whatever sends a byte or the header makes it a 200, and a
// later WriteHeader changes neither the answer nor the record.
func TestImplicitStatus(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(w http.ResponseWriter){
		"Write":              func(w http.ResponseWriter) { _, _ = w.Write([]byte("abc")) },
		"WriteString":        func(w http.ResponseWriter) { _, _ = io.WriteString(w, "abc") },
		"ReadFrom":           func(w http.ResponseWriter) { _, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("abc")) },
		"Flush":              func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"ResponseController": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"WriteHeader":        func(w http.ResponseWriter) { w.WriteHeader(200) },
		"nothing":            func(http.ResponseWriter) {},
		"an empty write":     func(w http.ResponseWriter) { _, _ = w.Write(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			got := get(t, serveHTTP(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				first(w)
				if name == "nothing" {
					return
				}
				if call, _ := interceptor.CallFrom(r.Context()); !call.Committed() {
					t.Error("the call is not committed")
				}
				w.WriteHeader(500)
			}))), "/")
			end := tr.end(t)
			if got.StatusCode != 200 || end.status != 200 || end.err != nil || end.sent.Bytes != int64(len(got.body)) {
				t.Errorf("client got %d %q, AfterResponse saw %d %v %v", got.StatusCode, got.body, end.status, end.err, end.sent)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 RS2 RS1 AR2 AR1")
			if name == "nothing" && got.ContentLength != 0 {
				t.Errorf("Content-Length %d", got.ContentLength)
			}
		})
	}
}

// TestInformationalStatuses pass and are not the answer.
func TestInformationalStatuses(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := start(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", "</a>")
				w.WriteHeader(103)
				w.WriteHeader(103)
				tr.add("hinted")
				w.WriteHeader(202)
			})))
			var hints []int
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				Got1xxResponse: func(code int, h textproto.MIMEHeader) error { hints = append(hints, code); return nil },
			})
			got := send(t, s, request(t, s, "GET", "/", "").WithContext(ctx))
			end := tr.end(t)
			if got.StatusCode != 202 || end.status != 202 || fmt.Sprint(hints) != "[103 103]" {
				t.Errorf("got %d after %v, AfterResponse saw %d", got.StatusCode, hints, end.status)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 hinted RS2 RS1 AR2 AR1")
		})
	}
}

// TestBodylessAnswers: HEAD, 204 and 304 are as without hooks.
func TestBodylessAnswers(t *testing.T) {
	t.Parallel()
	write := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/200" {
			w.WriteHeader(map[string]int{"/204": 204, "/304": 304}[r.URL.Path])
		}
		_, err := io.WriteString(w, "body")
		if bodyless := r.URL.Path != "/200"; errors.Is(err, http.ErrBodyNotAllowed) != bodyless {
			t.Errorf("%s: writing the body: %v", r.URL.Path, err)
		}
	}
	for name, start := range servers {
		tr := newTrace()
		own, direct := start(t, muxWith(tr.two(nil), "/", http.HandlerFunc(write))), start(t, http.HandlerFunc(write))
		for _, target := range []string{"GET /204", "GET /304", "HEAD /200"} {
			method, path, _ := strings.Cut(target, " ")
			got, want := send(t, own, request(t, own, method, path, "")), send(t, direct, request(t, direct, method, path, ""))
			end := tr.end(t)
			got.Header.Del("Date")
			want.Header.Del("Date")
			if got.StatusCode != want.StatusCode || got.body != want.body || !sameHeader(got.Header, want.Header) || end.status != want.StatusCode || end.err != nil {
				t.Errorf("%s %s: got %d %v %q, without hooks %d %v %q; AfterResponse saw %d %v", name, target,
					got.StatusCode, got.Header, got.body, want.StatusCode, want.Header, want.body, end.status, end.err)
			}
		}
	}
}

// TestFilesAsWithoutHooks: ranges and conditional requests of http.FileServer.
func TestFilesAsWithoutHooks(t *testing.T) {
	t.Parallel()
	files := http.FileServer(http.Dir("."))
	own, direct := serveHTTP(t, muxWith(newTrace().two(nil), "/", files)), serveHTTP(t, files)
	modified := get(t, direct, "/doc.go").Header.Get("Last-Modified")
	for _, header := range []string{"", "Range: bytes=10-19", "Range: bytes=0-1,4-5", "Range: bytes=99999999-", "If-Modified-Since: " + modified} {
		ask := func(s *server) result {
			r := request(t, s, "GET", "/doc.go", "")
			if key, value, ok := strings.Cut(header, ": "); ok {
				r.Header.Set(key, value)
			}
			return send(t, s, r)
		}
		got, want := ask(own), ask(direct)
		if strings.Contains(header, ",") { // the boundary is random
			got.body, want.body = "", ""
			got.Header.Del("Content-Type")
			want.Header.Del("Content-Type")
		}
		got.Header.Del("Date")
		want.Header.Del("Date")
		if got.StatusCode != want.StatusCode || got.body != want.body || !sameHeader(got.Header, want.Header) {
			t.Errorf("%s: got %d %v, without hooks %d %v", header, got.StatusCode, got.Header, want.StatusCode, want.Header)
		}
	}
}

// TestTrailers: the handler's and the hooks' arrive, with and without a body,
// set early, late, and by default.
func TestTrailers(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		for _, body := range []string{"", "short", strings.Repeat("long", 4096)} {
			t.Run(fmt.Sprint(name, " ", len(body)), func(t *testing.T) {
				t.Parallel()
				stack := newTrace().two(func(f *interceptor.Funcs) {
					f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
						tr := call.ResponseTrailer()
						return ctx, errors.Join(tr.Set("X-Early", "1"), tr.Add("X-Early", "2"), tr.SetDefault("X-Declared", "no"), tr.SetDefault("X-Default", "yes"),
							tr.Set("X-Gone", "1"), tr.Del("X-Gone"), tr.SetDefault("X-Gone-Too", "1"), tr.Del("X-Gone-Too"))
					}
				})
				s := start(t, muxWith(stack, "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Trailer", "X-Declared")
					_, _ = io.WriteString(w, body)
					w.Header().Set("X-Declared", "handler")
					w.Header().Set(http.TrailerPrefix+"X-Prefixed", "handler")
					call, _ := interceptor.CallFrom(r.Context())
					if err := call.ResponseTrailer().Set("X-Late", "3"); err != nil {
						t.Error(err)
					}
				})))
				got := get(t, s, "/")
				if got.body != body {
					t.Errorf("body of %d bytes, want %d", len(got.body), len(body))
				}
				for key, want := range map[string]string{"X-Early": "1|2", "X-Late": "3", "X-Declared": "handler", "X-Prefixed": "handler", "X-Default": "yes", "X-Gone": "", "X-Gone-Too": ""} {
					if values := strings.Join(got.Trailer.Values(key), "|"); values != want {
						t.Errorf("trailer %s: %q, want %q", key, values, want)
					}
				}
			})
		}
	}
}

// TestHijack: BeforeResponse runs before the connection is given away, and there
// is no status unless the handler wrote 101 itself.
func TestHijack(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"raw": 0, "upgrade": 101, "by ResponseController": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := serveHTTP(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if status != 0 {
					w.WriteHeader(status)
				}
				hijack := w.(http.Hijacker).Hijack
				if strings.HasPrefix(name, "by") {
					hijack = http.NewResponseController(w).Hijack
				}
				conn, rw, err := hijack()
				if err != nil {
					t.Error(err)
					return
				}
				tr.add("hijacked")
				if call, _ := interceptor.CallFrom(r.Context()); !errors.Is(call.ResponseHeader().Set("A", "b"), interceptor.ErrCommitted) {
					t.Error("a header can be set after Hijack")
				}
				if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrHijacked) {
					t.Errorf("Write after Hijack: %v", err)
				}
				_, _ = rw.WriteString("own protocol")
				_ = rw.Flush()
				_ = conn.Close()
			})))
			conn, br := dial(t, s)
			write(t, conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			got, err := io.ReadAll(br)
			end := tr.end(t)
			if err != nil || !strings.HasSuffix(string(got), "own protocol") || end.status != status || end.err != nil {
				t.Errorf("client got %q, %v; AfterResponse saw %d %v", got, err, end.status, end.err)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 RS2 RS1 hijacked AR2 AR1")
		})
	}
}

// TestHijackRefused: a hook that refuses in BeforeResponse keeps the connection.
func TestHijackRefused(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.two(func(f *interceptor.Funcs) {
		f.BeforeResponse = func(context.Context, *interceptor.Call) error { return fails }
	})
	got := get(t, serveHTTP(t, muxWith(stack, "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
			t.Error("the connection was given away")
		}
	}))), "/")
	if end := tr.end(t); got.StatusCode != 403 || end.status != 403 {
		t.Errorf("got %d, AfterResponse saw %d", got.StatusCode, end.status)
	}
}

// onlyUnwrap hides the abilities of a writer from assertions, but not from an
// http.ResponseController.
type onlyUnwrap struct{ http.ResponseWriter }

func (w onlyUnwrap) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestResponseControllerCannotGoAround: abilities that are only reached through
// Unwrap run the phases first.
func TestResponseControllerCannotGoAround(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(rc *http.ResponseController) error{
		"flush": func(rc *http.ResponseController) error { return rc.Flush() },
		"hijack": func(rc *http.ResponseController) error {
			conn, _, err := rc.Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				err = conn.Close()
			}
			return err
		},
		"deadline": func(rc *http.ResponseController) error { return rc.SetReadDeadline(time.Now().Add(time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			mux := muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if got := abilities(w); got != "" {
					t.Errorf("the writer shows %q", got)
				}
				if err := use(http.NewResponseController(w)); err != nil {
					t.Error(err)
				}
				tr.add("HND")
			}))
			s := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mux.ServeHTTP(onlyUnwrap{w}, r) }))
			get(t, s, "/")
			tr.end(t)
			want := "BR1 BR2 BH1 BH2 RS2 RS1 HND AR2 AR1"
			if name == "deadline" {
				want = "BR1 BR2 BH1 BH2 HND RS2 RS1 AR2 AR1"
			}
			tr.want(t, want)
		})
	}
	w := record(muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("hijacking what cannot be hijacked: %v", err)
		}
	})), "GET", "/")
	if w.Code != 200 {
		t.Error("a failed Hijack changed the answer")
	}
}

// TestPush reaches the HTTP/2 server, whose client does not want it.
func TestPush(t *testing.T) {
	t.Parallel()
	get(t, serveHTTP2(t, muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := w.(http.Pusher).Push("/x", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Push: %v", err)
		}
	}))), "/")
}

// TestServerSentEvents: the first event arrives while the handler runs.
func TestServerSentEvents(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, seen := newTrace(), make(chan struct{})
			s := start(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "data: 1\n\n")
				w.(http.Flusher).Flush()
				select {
				case <-seen:
				case <-r.Context().Done():
				}
				_, _ = io.WriteString(w, "data: 2\n\n")
			})))
			resp, err := s.Client().Do(request(t, s, "GET", "/", ""))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			br := bufio.NewReader(resp.Body)
			if line, err := br.ReadString('\n'); line != "data: 1\n" {
				t.Fatalf("first line %q, %v", line, err)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 RS2 RS1")
			close(seen)
			if rest, err := io.ReadAll(br); err != nil || string(rest) != "\ndata: 2\n\n" {
				t.Errorf("rest %q, %v", rest, err)
			}
			tr.end(t)
			tr.want(t, "BR1 BR2 BH1 BH2 RS2 RS1 AR2 AR1")
		})
	}
}
