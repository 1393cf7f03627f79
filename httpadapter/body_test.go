package httpadapter_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// TestRefusalDoesNotWaitForTheBody: the answer is there while the body is not,
// and the connection is closed.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"BeforeRequest", "BeforeHandler", "reply"} {
		for _, head := range []string{"Content-Length: 1000", "Content-Length: 31457280", "Transfer-Encoding: chunked", "Content-Length: 10\r\nExpect: 100-continue"} {
			t.Run(phase+"/"+head, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := tr.two(func(f *interceptor.Funcs) {
					switch phase {
					case "BeforeRequest":
						f.BeforeRequest = func(context.Context, *interceptor.Call) (context.Context, error) { return nil, fails }
					case "BeforeHandler":
						f.BeforeHandler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
							return nil, fails
						}
					default:
						f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
							return ctx, call.ReplyHTTP(203, "", nil)
						}
					}
				})
				conn, br := dial(t, serveHTTP(t, muxWith(stack, "/", tr.handler(nil))))
				write(t, conn, "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", head)
				want := map[bool]int{true: 203, false: 403}[phase == "reply"]
				if got := readResponse(t, br); got.StatusCode != want || !got.Close {
					t.Errorf("got %d, close %v", got.StatusCode, got.Close)
				}
				if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
					t.Errorf("the connection stayed open: %v", err)
				}
				tr.end(t)
			})
		}
	}
}

// TestRefusalSparesTheHonestSender: a client that sends all of its body before it
// reads still gets the answer.
func TestRefusalSparesTheHonestSender(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(context.Context, *interceptor.Call) (context.Context, error) { return nil, fails }
	})
	s := serveHTTP(t, muxWith(stack, "/", http.NotFoundHandler()))
	if got := send(t, s, request(t, s, "POST", "/", strings.Repeat("x", 100<<10))); got.StatusCode != 403 {
		t.Errorf("got %d", got.StatusCode)
	}
}

// TestRefusalWithoutABodyKeepsTheConnection.
func TestRefusalWithoutABodyKeepsTheConnection(t *testing.T) {
	t.Parallel()
	conn, br := dial(t, serveHTTP(t, muxWith(newTrace().two(nil), "/", failing(fails))))
	for range 2 {
		write(t, conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if got := readResponse(t, br); got.StatusCode != 403 || got.Close {
			t.Errorf("got %d, close %v", got.StatusCode, got.Close)
		}
	}
}

// TestExpectContinue: a handler that reads gets the body, one that does not
// answers with the final status, also after a flush.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		status  int
	}{
		"reads":   {func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, 100},
		"refuses": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, 401},
		"flushes": {func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, br := dial(t, serveHTTP(t, muxWith(newTrace().two(nil), "/", test.handler)))
			write(t, conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
			got := readResponse(t, br)
			if got.StatusCode != test.status {
				t.Fatalf("got %d, want %d", got.StatusCode, test.status)
			}
			if test.status == 100 {
				write(t, conn, "abc")
				if got = readResponse(t, br); got.StatusCode != 200 || got.body != "abc" {
					t.Errorf("got %d %q", got.StatusCode, got.body)
				}
			}
		})
	}
}

// TestUnreadBodyAsWithoutHooks: a small rest is read and the connection reused.
func TestUnreadBodyAsWithoutHooks(t *testing.T) {
	t.Parallel()
	conn, br := dial(t, serveHTTP(t, muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))))
	for range 2 {
		write(t, conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n%s", strings.Repeat("x", 1000))
		if got := readResponse(t, br); got.StatusCode != 200 || got.Close {
			t.Errorf("got %d, close %v", got.StatusCode, got.Close)
		}
	}
}

// TestMultipartFilesAreRemoved: net/http cleans up after the original request
// alone, and the handler parses a copy.
func TestMultipartFilesAreRemoved(t *testing.T) {
	t.Parallel()
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	part, _ := mw.CreateFormFile("f", "f.bin")
	_, _ = part.Write(bytes.Repeat([]byte("x"), 100<<10))
	_ = mw.Close()
	for name, build := range map[string]func(*interceptor.Stack, http.Handler) http.Handler{
		"direct": func(s *interceptor.Stack, h http.Handler) http.Handler { return muxWith(s, "/", h) },
		"prefix inside": func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/p/", httpadapter.StripPrefix("/p", muxWith(s, "/", h)))
		},
		"prefix outside": func(s *interceptor.Stack, h http.Handler) http.Handler {
			return httpadapter.StripPrefix("/p", muxWith(s, "/", h))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, file := newTrace(), ""
			stack := tr.two(func(f *interceptor.Funcs) {
				f.BeforeHandler = func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					return context.WithValue(ctx, ctxKey("another copy"), 1), nil
				}
			})
			parse := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if err := r.ParseMultipartForm(1); err != nil {
					t.Error(err)
					return
				}
				opened, err := r.MultipartForm.File["f"][0].Open()
				if err != nil {
					t.Error(err)
					return
				}
				file = opened.(*os.File).Name()
				_ = opened.Close()
			})
			s := serveHTTP(t, build(stack, parse))
			r := request(t, s, "POST", "/p/x", form.String())
			r.Header.Set("Content-Type", mw.FormDataContentType())
			send(t, s, r)
			tr.end(t)
			s.Close() // waits for the request to be finished
			if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the file %q of the form is still there: %v", file, err)
			}
		})
	}
}

// TestBodyCounts: received bytes are unknown, except that there are none.
func TestBodyCounts(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		tr := newTrace()
		s := start(t, muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })))
		for body, want := range map[string]int64{"": 0, "abc": -1} {
			send(t, s, request(t, s, "POST", "/", body))
			end := tr.end(t)
			if got := end.call.Received(); got.Bytes != want || got.Messages != 0 || end.sent.Bytes != int64(len(body)) {
				t.Errorf("%s: received %v, sent %v for a body of %d bytes", name, got, end.sent, len(body))
			}
		}
	}
}
