package httpadapter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// layer stands for a gateway: it resolves the method by itself and has a format
// for errors.
type layer struct {
	stack *interceptor.Stack
	serve func(w http.ResponseWriter, r *http.Request, call *interceptor.Call, x httpwire.Exchange)
}

func (l *layer) ResolvesFor(stack any) bool { return stack == any(l.stack) }

func (l *layer) RenderError(w http.ResponseWriter, _ *http.Request, err error) {
	w.WriteHeader(interceptor.HTTPStatusOf(err))
	_, _ = io.WriteString(w, "layer: "+interceptor.StatusOf(err).Message())
}

func (l *layer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, _ := interceptor.CallFrom(r.Context())
	x, _ := ops.Transport(call).(httpwire.Exchange)
	l.serve(w, r, call, x)
}

// otherRenderer is a format that a layer chooses once it has matched.
type otherRenderer struct{}

func (otherRenderer) RenderError(w http.ResponseWriter, _ *http.Request, err error) {
	w.WriteHeader(interceptor.HTTPStatusOf(err))
	_, _ = io.WriteString(w, "other: "+interceptor.StatusOf(err).Message())
}

// TestLayers: what the layers inside can rely on.
func TestLayers(t *testing.T) {
	t.Parallel()
	type serve = func(w http.ResponseWriter, r *http.Request, call *interceptor.Call, x httpwire.Exchange)
	resolve := func(call *interceptor.Call) bool { return ops.Resolve(call, ops.NewMethod("/s/m", nil, 0), "/m") }
	rejects := func(f *interceptor.Funcs) {
		f.BeforeHandler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			return nil, fails
		}
	}
	replies := func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			return ctx, call.Reply(&emptypb.Empty{})
		}
	}
	tests := []struct {
		name   string
		hook2  func(f *interceptor.Funcs)
		serve  serve
		status int
		body   string
		phases string
	}{
		{"resolves and writes", nil, func(w http.ResponseWriter, r *http.Request, call *interceptor.Call, x httpwire.Exchange) {
			if !resolve(call) || x.Request() != r {
				t.Error("the layer cannot go on")
			}
			_, _ = io.WriteString(w, "ok")
		}, 200, "ok", "BR1 BR2 BH1 BH2 RS2 RS1 AR2 AR1"},
		{"refuses in its own format", rejects, func(_ http.ResponseWriter, _ *http.Request, call *interceptor.Call, x httpwire.Exchange) {
			if !resolve(call) {
				x.Refuse()
				x.Refuse() // repeating does nothing
			}
		}, 403, "layer: not you", "BR1 BR2 BH1 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"refuses in the format it chose", rejects, func(_ http.ResponseWriter, _ *http.Request, call *interceptor.Call, x httpwire.Exchange) {
			x.SetRenderer(otherRenderer{})
			if !resolve(call) {
				x.Refuse()
			}
		}, 403, "other: not you", "BR1 BR2 BH1 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"fails and leaves it at that", nil, func(_ http.ResponseWriter, _ *http.Request, call *interceptor.Call, _ httpwire.Exchange) {
			_ = ops.Fail(call, fails, false)
		}, 403, "layer: not you", "BR1 BR2 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"writes an error nobody saw", nil, func(w http.ResponseWriter, _ *http.Request, call *interceptor.Call, _ httpwire.Exchange) {
			resolve(call)
			http.Error(w, "routing", 404)
		}, 404, "routing\n", "BR1 BR2 BH1 BH2 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"writes the error that hooks saw", nil, func(w http.ResponseWriter, _ *http.Request, call *interceptor.Call, _ httpwire.Exchange) {
			_ = ops.Fail(call, fails, false)
			http.Error(w, "mine", 403)
		}, 403, "mine\n", "BR1 BR2 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"writes nothing", nil, func(_ http.ResponseWriter, _ *http.Request, call *interceptor.Call, _ httpwire.Exchange) {
			resolve(call)
		},
			200, "", "BR1 BR2 BH1 BH2 RS2 RS1 AR2 AR1"},
		{"panics", nil, func(http.ResponseWriter, *http.Request, *interceptor.Call, httpwire.Exchange) { panic("secret") },
			500, "layer: internal error", "BR1 BR2 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"answers before the end", nil, func(w http.ResponseWriter, _ *http.Request, call *interceptor.Call, x httpwire.Exchange) {
			resolve(call)
			order := ""
			x.BeforeEnd(func() { order += "a" })
			x.BeforeEnd(func() {
				x.BeforeEnd(func() { _, _ = io.WriteString(w, order+"c") })
				order += "b"
			})
		}, 200, "abc", "BR1 BR2 BH1 BH2 RS2 RS1 AR2 AR1"},
		{"answers with a held message", replies, func(w http.ResponseWriter, _ *http.Request, call *interceptor.Call, x httpwire.Exchange) {
			if resolve(call) || ops.Failed(call) != nil {
				t.Error("the reply does not hold")
			}
			_, err := ops.Answer(call, nil, nil)
			if err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, "{}")
		}, 200, "{}", "BR1 RS2 RS1 AR2 AR1"},
		{"leaves a held message unsent", replies, func(_ http.ResponseWriter, _ *http.Request, call *interceptor.Call, _ httpwire.Exchange) {
			resolve(call)
		},
			500, "layer: internal error", "BR1 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"does not reach its method with a held message", replies, func(w http.ResponseWriter, _ *http.Request, _ *interceptor.Call, _ httpwire.Exchange) {
			w.WriteHeader(404)
		}, 500, "layer: internal error", "BR1 OE2 OE1 RS2 RS1 AR2 AR1"},
		{"runs a handler that fails", nil, func(w http.ResponseWriter, r *http.Request, call *interceptor.Call, _ httpwire.Exchange) {
			resolve(call)
			failing(fails).ServeHTTP(w, r)
		}, 403, "layer: not you", "BR1 BR2 BH1 BH2 OE2 OE1 RS2 RS1 AR2 AR1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := tr.two(func(f *interceptor.Funcs) {
				if test.hook2 != nil {
					test.hook2(f)
				}
			})
			l := &layer{stack: stack, serve: test.serve}
			got := get(t, serveHTTP(t, muxWith(stack, "/", l)), "/m")
			end := tr.end(t)
			if got.StatusCode != test.status || got.body != test.body || end.status != test.status || (end.err != nil) != (test.status >= 400) {
				t.Errorf("got %d %q, AfterResponse saw %d %v; want %d %q", got.StatusCode, got.body, end.status, end.err, test.status, test.body)
			}
			tr.want(t, test.phases)
		})
	}
}

// TestFormatOfEarlyRefusals: a refusal before routing has the format of the layer
// that the request would have reached.
func TestFormatOfEarlyRefusals(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(context.Context, *interceptor.Call) (context.Context, error) { return nil, fails }
	})
	l := &layer{stack: stack}
	bare := http.NewServeMux()
	bare.Handle("/v1/", l)
	mux := muxWith(stack, "/v1/", l)
	mux.Handle("/plain", http.NotFoundHandler())
	mux.Handle("/in/", httpadapter.StripPrefix("/in", through{mux, ""}))
	const plain = `{"code":7,"message":"not you","details":[]}`
	for name, test := range map[string]struct {
		h          http.Handler
		path, body string
	}{
		"layer":          {mux, "/v1/x", "layer: not you"},
		"behind a lot":   {mux, "/in/v1/x", "layer: not you"},
		"plain route":    {mux, "/plain", plain},
		"unmatched":      {mux, "/none", plain},
		"inner plain":    {mux, "/in/plain", plain},
		"wrapped":        {httpadapter.Wrap(stack, bare), "/v1/x", "layer: not you"},
		"wrapped, other": {httpadapter.Wrap(stack, bare), "/x", plain},
		"circle":         {httpadapter.Wrap(stack, circle{}), "/x", plain},
	} {
		if got := record(test.h, "GET", test.path); got.Code != 403 || got.Body.String() != test.body {
			t.Errorf("%s: got %d %s, want %s", name, got.Code, got.Body, test.body)
		}
	}
}

// TestFormatOfLateRefusals: the format is that of the layer that was reached, on
// whatever path.
func TestFormatOfLateRefusals(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeHandler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			return nil, fails
		}
	})
	m := ops.NewRoute("/m")
	l := &layer{stack: stack, serve: func(_ http.ResponseWriter, _ *http.Request, call *interceptor.Call, x httpwire.Exchange) {
		if !ops.Resolve(call, m, "/m") {
			x.Refuse()
		}
	}}
	mux := muxWith(stack, "/in/", httpadapter.StripPrefix("/in", muxWith(stack, "/v1/", l)))
	if got := record(mux, "GET", "/in/v1/x"); got.Code != 403 || got.Body.String() != "layer: not you" {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

// TestHeldReplyDoesNotWaitForTheBody: a layer that sends the reply of a hook has
// read nothing either.
func TestHeldReplyDoesNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			return ctx, call.Reply(&emptypb.Empty{})
		}
	})
	m := ops.NewMethod("/s/m", nil, 0)
	l := &layer{stack: stack, serve: func(w http.ResponseWriter, _ *http.Request, call *interceptor.Call, _ httpwire.Exchange) {
		ops.Resolve(call, m, "/m")
		_, _ = ops.Answer(call, nil, nil)
		_, _ = io.WriteString(w, "{}")
	}}
	conn, br := dial(t, serveHTTP(t, muxWith(stack, "/", l)))
	write(t, conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
	if got := readResponse(t, br); got.StatusCode != 200 || got.body != "{}" || !got.Close {
		t.Errorf("got %d %q, close %v", got.StatusCode, got.body, got.Close)
	}
}

// circle is a handler that claims to be inside of itself.
type circle struct{}

func (circle) ServeHTTP(http.ResponseWriter, *http.Request)          {}
func (c circle) Inner(r *http.Request) (http.Handler, *http.Request) { return c, r }

// TestHiddenHeadersStayHidden: a layer that copies the headers says so, and what
// hooks hide later is hidden there as well.
func TestHiddenHeadersStayHidden(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			call.RequestHeader().Del("Authorization")
			return ctx, nil
		}
	})
	m := ops.NewRoute("/m")
	l := &layer{stack: stack, serve: func(_ http.ResponseWriter, r *http.Request, call *interceptor.Call, x httpwire.Exchange) {
		clone := r.Clone(r.Context())
		x.SetRequest(clone)
		ops.Resolve(call, m, "/m")
		if clone.Header.Get("Authorization") != "" || r.Header.Get("Authorization") != "" {
			t.Error("a hidden header shows")
		}
	}}
	record(muxWith(stack, "/", l), "GET", "/", func(r *http.Request) { r.Header.Set("Authorization", "secret") })
}

// TestPrefixThatIsNotThere is a 404 of StripPrefix, escaped or not.
func TestPrefixThatIsNotThere(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.two(nil)
	for name, h := range map[string]http.Handler{
		"mux":  muxWith(stack, "/", httpadapter.StripPrefix("/a/b", muxWith(stack, "/", tr.handler(nil)))),
		"wrap": httpadapter.Wrap(stack, httpadapter.StripPrefix("/a/b", http.NewServeMux())),
	} {
		for _, path := range []string{"/b/c", "/a%2Fb/c"} {
			tr.events = nil
			if got := record(h, "GET", path); got.Code != 404 {
				t.Errorf("%s %s: %d", name, path, got.Code)
			}
			tr.want(t, "BR1 BR2 OE2 OE1 RS2 RS1 AR2 AR1")
		}
	}
}

// TestJoinedContexts: a context made by middleware between two layers and one
// made by a hook both end the handler's.
func TestJoinedContexts(t *testing.T) {
	t.Parallel()
	for _, ends := range []string{"hook", "between"} {
		t.Run(ends, func(t *testing.T) {
			t.Parallel()
			end := func(ctx context.Context, who string, later time.Duration) (context.Context, context.CancelFunc) {
				if who == ends {
					return context.WithDeadline(ctx, time.Now())
				}
				return context.WithTimeout(ctx, later)
			}
			stack := newTrace().two(func(f *interceptor.Funcs) {
				f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					ctx, cancel := end(ctx, "hook", time.Hour)
					call.Defer(cancel)
					return ctx, nil
				}
			})
			inner := muxWith(stack, "/", httpadapter.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
				<-r.Context().Done()
				if deadline, ok := r.Context().Deadline(); !ok || time.Until(deadline) > time.Minute {
					t.Errorf("deadline %v, %v", deadline, ok)
				}
				if cause := context.Cause(r.Context()); !errors.Is(cause, context.DeadlineExceeded) {
					t.Errorf("cause %v", cause)
				}
				return r.Context().Err()
			}))
			limited := deriving{inner, func(ctx context.Context) (context.Context, context.CancelFunc) { return end(ctx, "between", time.Hour) }}
			if got := record(muxWith(stack, "/", limited), "GET", "/"); got.Code != 504 && got.Code != 499 {
				t.Errorf("got %d", got.Code)
			}
		})
	}
}

// deriving is middleware with a context of its own.
type deriving struct {
	http.Handler
	derive func(context.Context) (context.Context, context.CancelFunc)
}

func (d deriving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := d.derive(r.Context())
	defer cancel()
	d.Handler.ServeHTTP(w, r.WithContext(ctx))
}

func (d deriving) Inner(r *http.Request) (http.Handler, *http.Request) { return d.Handler, r }

// TestReservedHeadersOfGRPC: a hook cannot break the framing of a mounted server.
func TestReservedHeadersOfGRPC(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			if call.Transport() == interceptor.GRPC {
				for _, key := range []string{"Content-Type", "Grpc-Status", "content-length"} {
					if err := call.ResponseHeader().Set(key, "1"); err == nil || !strings.Contains(err.Error(), key) {
						t.Errorf("setting %s: %v", key, err)
					}
				}
			}
			return ctx, nil
		}
	})
	record(muxWith(stack, "/", newGRPCLayer(tr, stack)), "POST", "/pkg.Service/Method", func(r *http.Request) { r.Header.Set("Content-Type", "application/grpc") })
	tr.end(t)
	tr.want(t, "BR1 BH1 BH2 HND RS2 RS1 AR2 AR1")
}
