package httpadapter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/crosscut-go/crosscut/interceptor"
)

// TestReplyHTTP: in every phase that may answer, it is the answer and a success.
func TestReplyHTTP(t *testing.T) {
	t.Parallel()
	reply := func(call *interceptor.Call) error { return call.ReplyHTTP(203, "text/reply", []byte("by a hook")) }
	tests := []struct {
		name   string
		hook2  func(tr *trace, f *interceptor.Funcs)
		phases string
	}{
		{"BeforeRequest", func(tr *trace, f *interceptor.Funcs) {
			f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) { return ctx, reply(call) }
		}, "BR1 RS2 RS1 AR2 AR1"},
		{"BeforeHandler", func(tr *trace, f *interceptor.Funcs) {
			f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
				return ctx, reply(call)
			}
		}, "BR1 BR2 BH1 RS2 RS1 AR2 AR1"},
		{"WrapHandler", func(tr *trace, f *interceptor.Funcs) {
			f.WrapHandler = func(interceptor.Handler) interceptor.Handler {
				return func(_ context.Context, call *interceptor.Call) error { return reply(call) }
			}
		}, "BR1 BR2 BH1 BH2 RS2 RS1 AR2 AR1"},
		{"OnError", func(tr *trace, f *interceptor.Funcs) {
			f.OnError = func(_ context.Context, call *interceptor.Call, err error) error { return reply(call) }
		}, "BR1 BR2 BH1 BH2 HND RS2 RS1 AR2 AR1"},
		{"BeforeResponse", func(tr *trace, f *interceptor.Funcs) {
			f.OnError = func(_ context.Context, call *interceptor.Call, _ error) error { return call.ReplyHTTP(200, "", nil) }
			f.BeforeResponse = func(_ context.Context, call *interceptor.Call) error { return reply(call) }
		}, "BR1 BR2 BH1 BH2 HND RS1 AR2 AR1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			mux := muxWith(tr.two(func(f *interceptor.Funcs) { test.hook2(tr, f) }), "/", tr.handler(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", `"handler"`)
				panic("the handler fails")
			}))
			got := get(t, serveHTTP(t, mux), "/")
			end := tr.end(t)
			if got.StatusCode != 203 || got.body != "by a hook" || got.Header.Get("Content-Type") != "text/reply" || got.Header.Get("ETag") != "" {
				t.Errorf("got %d %q %v", got.StatusCode, got.body, got.Header)
			}
			if end.status != 203 || end.err != nil || end.sent.Bytes != 9 {
				t.Errorf("AfterResponse saw %d %v %v", end.status, end.err, end.sent)
			}
			tr.want(t, test.phases)
		})
	}
}

// TestRedirectReply: a bodyless reply with a header of the hook.
func TestRedirectReply(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			return ctx, errors.Join(call.ResponseHeader().Set("Location", "/login"), call.ReplyHTTP(303, "", nil))
		}
	})
	got := get(t, serveHTTP(t, muxWith(stack, "/", http.NotFoundHandler())), "/")
	if got.StatusCode != 303 || got.Header.Get("Location") != "/login" || got.body != "" || got.ContentLength != 0 {
		t.Errorf("got %d %v %q", got.StatusCode, got.Header, got.body)
	}
}

// TestMessageReply: nobody here can send a message, wherever the request goes.
func TestMessageReply(t *testing.T) {
	t.Parallel()
	for name, pattern := range map[string]string{"plain route": "/x", "unmatched": "/other"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := tr.two(func(f *interceptor.Funcs) {
				f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
					return ctx, call.Reply(&emptypb.Empty{})
				}
			})
			got := get(t, serveHTTP(t, muxWith(stack, pattern, tr.handler(nil))), "/x")
			end := tr.end(t)
			if got.StatusCode != 500 || end.status != 500 || end.code != "Internal" || !strings.Contains(end.err.Error(), "use ReplyHTTP") {
				t.Errorf("got %d %q, AfterResponse saw %d %v", got.StatusCode, got.body, end.status, end.err)
			}
			tr.want(t, "BR1 OE2 OE1 RS2 RS1 AR2 AR1")
		})
	}
}

// TestRecoveryWithAMessage: a message cannot answer a refusal that came before
// the method was known.
func TestRecoveryWithAMessage(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.stack(tr.hook("1", func(f *interceptor.Funcs) {
		f.OnError = func(_ context.Context, call *interceptor.Call, _ error) error { return call.Reply(&emptypb.Empty{}) }
	}), tr.hook("2", func(f *interceptor.Funcs) {
		f.BeforeRequest = func(context.Context, *interceptor.Call) (context.Context, error) { return nil, fails }
	}))
	got := get(t, serveHTTP(t, muxWith(stack, "/", tr.handler(nil))), "/")
	if end := tr.end(t); got.StatusCode != 500 || end.status != 500 || end.code != "Internal" {
		t.Errorf("got %d %q, AfterResponse saw %d %s", got.StatusCode, got.body, end.status, end.code)
	}
	tr.want(t, "BR1 RS1 AR1")
}

// TestBeforeResponseReplacesTheHandlersAnswer: what the handler writes from then
// on goes nowhere, and it is told.
func TestBeforeResponseReplacesTheHandlersAnswer(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(call *interceptor.Call) error{
		"refuses": func(*interceptor.Call) error { return fails },
		"replies": func(call *interceptor.Call) error { return call.ReplyHTTP(203, "text/reply", []byte("by a hook")) },
		"panics":  func(*interceptor.Call) error { panic("secret") },
	} {
		for status, wants := range map[int]map[string]int{
			200: {"refuses": 403, "replies": 203, "panics": 500},
			404: {"refuses": 403, "replies": 500, "panics": 500}, // a failed call cannot be replied to any more
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := tr.two(func(f *interceptor.Funcs) {
					f.BeforeResponse = func(_ context.Context, call *interceptor.Call) error { return act(call) }
				})
				mux := muxWith(stack, "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("ETag", `"handler"`)
					w.WriteHeader(status)
					if _, err := io.WriteString(w, "handler"); err == nil {
						t.Error("Write did not tell that the response is another one")
					}
					if _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("handler")); err == nil {
						t.Error("ReadFrom did not tell that the response is another one")
					}
					if err := http.NewResponseController(w).Flush(); err == nil {
						t.Error("Flush did not tell that the response is another one")
					}
					if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
						t.Error("Hijack did not tell that the response is another one")
					}
					w.WriteHeader(201)
					w.WriteHeader(103)
				}))
				got := get(t, serveHTTP(t, mux), "/")
				end := tr.end(t)
				if want := wants[name]; got.StatusCode != want || end.status != want || (end.err == nil) != (want < 400) {
					t.Errorf("handler's %d: got %d, AfterResponse saw %d %v; want %d", status, got.StatusCode, end.status, end.err, want)
				}
				if strings.Contains(got.body, "handler") || got.Header.Get("ETag") != "" {
					t.Errorf("the handler's response shows: %q %v", got.body, got.Header)
				}
			})
		}
	}
}
