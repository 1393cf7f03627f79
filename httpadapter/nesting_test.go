package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// through is foreign middleware that tells what is inside of it.
type through struct {
	http.Handler
	key string
}

func (m through) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.key != "" {
		r = r.WithContext(context.WithValue(r.Context(), ctxKey(m.key), m.key))
	}
	m.Handler.ServeHTTP(w, r)
}

func (m through) Inner(r *http.Request) (http.Handler, *http.Request) { return m.Handler, r }

type ctxKey string

// hides is foreign middleware that does not.
func hides(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) })
}

const once = "BR1 BR2 BH1 BH2 HND RS2 RS1 AR2 AR1"

// TestLayersOfOneStack: two layers of one stack are one call, decided once for
// the route that runs.
func TestLayersOfOneStack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		build  func(s *interceptor.Stack, h http.Handler) http.Handler
		method string
	}{
		{"mux in mux", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/api/", muxWith(s, "GET /api/x", h))
		}, "GET /api/x"},
		{"mux in mux below a prefix", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/api/", httpadapter.StripPrefix("/api", muxWith(s, "GET /x", h)))
		}, "GET /x"},
		{"two prefixes", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/", httpadapter.StripPrefix("/a", httpadapter.StripPrefix("pi", muxWith(s, "GET /x", h))))
		}, "GET /x"},
		{"wrapped in mux", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/api/", httpadapter.Wrap(s, h))
		}, "*"},
		{"wrapped in wrapped", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return httpadapter.Wrap(s, httpadapter.Wrap(s, h))
		}, "*"},
		{"mux in wrapped", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return httpadapter.Middleware(s)(muxWith(s, "/api/x", h))
		}, "/api/x"},
		{"mux in a bare mux in wrapped", func(s *interceptor.Stack, h http.Handler) http.Handler {
			bare := http.NewServeMux()
			bare.Handle("/api/", httpadapter.StripPrefix("/api", muxWith(s, "/x", h)))
			return httpadapter.Wrap(s, bare)
		}, "/x"},
		{"middleware with Inner", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/api/", through{muxWith(s, "/api/x", h), ""})
		}, "/api/x"},
		{"middleware with Inner that derives a context", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return httpadapter.Wrap(s, through{muxWith(s, "/api/x", h), "k"})
		}, "/api/x"},
		{"bare mux behind a prefix", func(s *interceptor.Stack, h http.Handler) http.Handler {
			bare := http.NewServeMux()
			bare.Handle("GET /x", h)
			return httpadapter.Wrap(s, httpadapter.StripPrefix("/api", bare))
		}, "GET /x"},
		{"plain handler behind a prefix", func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/api/", httpadapter.StripPrefix("/api", h))
		}, "/api/"},
		{"foreign router", func(s *interceptor.Stack, h http.Handler) http.Handler { return muxWith(s, "/api/", hides(h)) }, "/api/"},
		{"bare mux in mux", func(s *interceptor.Stack, h http.Handler) http.Handler {
			bare := http.NewServeMux()
			bare.Handle("/api/x", h)
			return muxWith(s, "/api/", bare)
		}, "/api/"},
		{"plain handler behind Inner", func(s *interceptor.Stack, h http.Handler) http.Handler { return muxWith(s, "/api/", through{h, "k"}) }, "/api/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			got := get(t, serveHTTP(t, test.build(tr.two(nil), tr.handler(nil))), "/api/x")
			end := tr.end(t)
			tr.want(t, once)
			if got.StatusCode != 200 || end.method != test.method {
				t.Errorf("got %d from method %q, want %q", got.StatusCode, end.method, test.method)
			}
		})
	}
}

// TestDecidedForAnotherMethod: what was decided as one route never runs another.
func TestDecidedForAnotherMethod(t *testing.T) {
	t.Parallel()
	tests := map[string]func(s *interceptor.Stack, h http.Handler) http.Handler{
		"behind foreign middleware": func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/", hides(muxWith(s, "/x/y", h)))
		},
		"behind the StripPrefix of net/http": func(s *interceptor.Stack, h http.Handler) http.Handler {
			return muxWith(s, "/x/", http.StripPrefix("/x", muxWith(s, "/y", h)))
		},
		"wrapped foreign middleware": func(s *interceptor.Stack, h http.Handler) http.Handler {
			return httpadapter.Wrap(s, hides(muxWith(s, "/x/y", h)))
		},
		"a second dispatch": func(s *interceptor.Stack, h http.Handler) http.Handler {
			inner := muxWith(s, "/other", h)
			return muxWith(s, "/x/y", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				r = r.Clone(r.Context())
				r.URL.Path = "/other"
				inner.ServeHTTP(httptest.NewRecorder(), r)
			}))
		},
		"two wraps around middleware": func(s *interceptor.Stack, h http.Handler) http.Handler {
			return httpadapter.Wrap(s, hides(httpadapter.Wrap(s, h)))
		},
	}
	for name, build := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			got := get(t, serveHTTP(t, build(tr.two(nil), tr.handler(nil))), "/x/y")
			end := tr.end(t)
			if strings.Contains(tr.String(), "HND") || got.StatusCode != 500 || end.code != "Internal" {
				t.Errorf("got %d, AfterResponse saw %s after %s", got.StatusCode, end.code, tr)
			}
			if reports := tr.reported(); len(reports) == 0 || !strings.Contains(reports[0].Error(), "httpadapter.StripPrefix") {
				t.Errorf("reported %v", reports)
			}
		})
	}
}

// TestAnotherStackIsAnotherCall: all hooks of both run, outer ones around.
func TestAnotherStackIsAnotherCall(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	outer, inner := tr.stack(tr.hook("1", nil)), tr.stack(tr.hook("9", nil))
	for name, h := range map[string]http.Handler{
		"mux":  muxWith(outer, "/", muxWith(inner, "/x", tr.handler(nil))),
		"wrap": httpadapter.Wrap(outer, httpadapter.Wrap(inner, tr.handler(nil))),
	} {
		tr.events = nil
		got := get(t, serveHTTP(t, h), "/x")
		tr.end(t)
		if got.StatusCode != 200 {
			t.Errorf("%s: got %d", name, got.StatusCode)
		}
		tr.want(t, "BR1 BH1 BR9 BH9 HND RS9 AR9 RS1 AR1")
	}
}

// TestEndedCallIsNotContinued: the context of a call that is over does not let a
// request pass.
func TestEndedCallIsNotContinued(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	var kept context.Context
	mux := muxWith(tr.two(nil), "/x", tr.handler(func(_ http.ResponseWriter, r *http.Request) { kept = r.Context() }))
	record(mux, "GET", "/x")
	record(mux, "GET", "/x", func(r *http.Request) { *r = *r.WithContext(kept) })
	tr.want(t, once+" "+once)
}

// TestNestedRefusal: a hook's refusal in an inner layer is the answer, although
// middleware on the way wrote something.
func TestNestedRefusal(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.two(func(f *interceptor.Funcs) {
		f.BeforeHandler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			return nil, fails
		}
	})
	talks := talkative{muxWith(stack, "/x", tr.handler(nil))}
	got := get(t, serveHTTP(t, muxWith(stack, "/", talks)), "/x")
	if got.StatusCode != 403 || got.body != `{"code":7,"message":"not you","details":[]}` {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
	tr.end(t)
	tr.want(t, "BR1 BR2 BH1 OE2 OE1 RS2 RS1 AR2 AR1")
}

// talkative writes after the handler, as compressing middleware does.
type talkative struct{ http.Handler }

func (m talkative) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.Handler.ServeHTTP(w, r)
	if _, err := w.Write([]byte("end")); err == nil {
		w.WriteHeader(201)
	}
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

func (m talkative) Inner(r *http.Request) (http.Handler, *http.Request) { return m.Handler, r }

// TestContextsOnTheWay: values that middleware between two layers adds, and those
// of hooks that run later, all reach the handler.
func TestContextsOnTheWay(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeHandler = func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return context.WithValue(ctx, ctxKey("hook"), "hook"), nil
		}
	})
	var ctx context.Context
	mux := muxWith(stack, "/", through{muxWith(stack, "/x", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx = r.Context()
		if ctx.Err() != nil {
			t.Error("the context has ended already")
		}
	})), "between"})
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	record(mux, "GET", "/x", func(r *http.Request) { *r = *r.WithContext(parent) })
	if ctx.Value(ctxKey("hook")) != "hook" || ctx.Value(ctxKey("between")) != "between" {
		t.Errorf("hook %v, between %v", ctx.Value(ctxKey("hook")), ctx.Value(ctxKey("between")))
	}
}

// TestChangedRequest: hooks that change what routing depends on, between the
// decision and the handler, close the call.
func TestChangedRequest(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *http.Request){
		"method":   func(r *http.Request) { r.Method = "DELETE" },
		"path":     func(r *http.Request) { r.URL.Path = "/admin" },
		"raw path": func(r *http.Request) { r.URL.RawPath = "/adm%69n" },
		"host":     func(r *http.Request) { r.Host = "admin.example" },
		"nothing":  func(*http.Request) {},
	} {
		for kind, build := range map[string]func(s *interceptor.Stack, h http.Handler) http.Handler{
			"bare mux": func(s *interceptor.Stack, h http.Handler) http.Handler {
				bare := http.NewServeMux()
				for _, p := range []string{"/x", "/admin", "DELETE /x", "admin.example/x"} {
					bare.Handle(p, h)
				}
				return httpadapter.Wrap(s, bare)
			},
			"routes": func(s *interceptor.Stack, h http.Handler) http.Handler {
				return httpadapter.Wrap(s, h, httpadapter.Routes(func(*http.Request) (string, bool) { return "/x", true }))
			},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := tr.two(func(f *interceptor.Funcs) {
					f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
						r, _ := httpadapter.RequestFrom(call)
						change(r)
						return ctx, nil
					}
				})
				got := get(t, serveHTTP(t, build(stack, tr.handler(nil))), "/x")
				tr.end(t)
				if ran := strings.Contains(tr.String(), "HND"); ran != (name == "nothing") || ran != (got.StatusCode == 200) {
					t.Errorf("handler ran: %v, client got %d", ran, got.StatusCode)
				}
			})
		}
	}
}

// TestMethodNames: what a wrapped handler's methods are called.
func TestMethodNames(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	bare := http.NewServeMux()
	bare.Handle("GET /items/{id}", ok)
	bare.Handle("example.com/host/", ok)
	bare.Handle("/old", http.RedirectHandler("/new", 302))
	routed := httpadapter.Routes(func(r *http.Request) (string, bool) {
		return "/by/{router}", strings.HasPrefix(r.URL.Path, "/by/")
	})
	tests := []struct {
		name, path, method, route string
		handler                   http.Handler
		opts                      []httpadapter.Option
	}{
		{"handler", "/a", "*", "", ok, nil},
		{"bare mux", "/items/7", "GET /items/{id}", "/items/{id}", bare, nil},
		{"bare mux with host", "/host/x", "example.com/host/", "/host/", bare, nil},
		{"registered redirect", "/old", "/old", "/old", bare, nil},
		{"foreign router", "/by/7", "/by/{router}", "/by/{router}", ok, []httpadapter.Option{routed}},
		{"foreign router without a match", "/x", "*", "", ok, []httpadapter.Option{routed}},
		{"routes before a bare mux", "/by/7", "/by/{router}", "/by/{router}", bare, []httpadapter.Option{routed}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			h := httpadapter.Wrap(tr.two(nil), test.handler, test.opts...)
			var methods []*interceptor.Method
			for range 2 {
				record(h, "GET", test.path)
				end := tr.end(t)
				methods = append(methods, end.call.Method())
				if end.method != test.method || end.route != test.route || end.call.Method().Descriptor() != nil {
					t.Errorf("method %q, route %q; want %q, %q", end.method, end.route, test.method, test.route)
				}
			}
			if methods[0] != methods[1] {
				t.Error("the method is another one for every call")
			}
			listed := h.(interface{ Routes() []*interceptor.Method }).Routes()
			if !slices.Contains(listed, methods[0]) && test.method != "*" {
				t.Errorf("Routes() = %v", listed)
			}
		})
	}
}

// TestRoutesFromTheClient: a Routes function that names methods after what
// clients send cannot fill the memory.
func TestRoutesFromTheClient(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	h := httpadapter.Wrap(tr.stack(), tr.handler(nil), httpadapter.Routes(func(r *http.Request) (string, bool) { return r.URL.Path, true }))
	for i := range 4096 {
		if got := record(h, "GET", fmt.Sprint("/", i)); got.Code != 200 {
			t.Fatalf("name %d: %d", i, got.Code)
		}
	}
	if got := record(h, "GET", "/one-more"); got.Code != 500 {
		t.Errorf("one name more: %d", got.Code)
	}
	if got := record(h, "GET", "/7"); got.Code != 200 {
		t.Errorf("a known name: %d", got.Code)
	}
}

// picky refuses methods by name when it is shown them.
type picky struct {
	interceptor.Base
	refuse string
}

func (p picky) CheckMethod(m *interceptor.Method) error {
	if m.Name() == p.refuse {
		return errTest
	}
	return nil
}

// TestCheck: what a hook refuses is reported, and closed until it is mended.
func TestCheck(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.stack(tr.hook("1", nil), picky{refuse: "/bad"})
	mux := httpadapter.NewMux(stack)
	mux.Handle("/good", tr.handler(nil))
	if err := mux.Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
	inner := muxWith(stack, "/bad", tr.handler(nil))
	mux.Handle("/in/", httpadapter.StripPrefix("/in", inner))
	for name, m := range map[string]*httpadapter.Mux{"the mux": inner, "the mux around it": mux} {
		if err := m.Check(); !errors.Is(err, errTest) || !strings.Contains(err.Error(), `"/bad"`) {
			t.Errorf("Check of %s: %v", name, err)
		}
	}
	for _, path := range []string{"/good", "/in/bad"} {
		if got := record(mux, "GET", path); got.Code != 500 {
			t.Errorf("%s: got %d before the check has passed", path, got.Code)
		}
		tr.end(t)
	}
	tr.want(t, "BR1 OE1 RS1 AR1 BR1 OE1 RS1 AR1")
	names := []string{}
	for _, m := range mux.Routes() {
		names = append(names, m.Name())
	}
	if fmt.Sprint(names) != "[/good /bad]" {
		t.Errorf("Routes() = %v", names)
	}
}

// TestLateRouteIsClosed: a route that comes after the check is checked alone.
func TestLateRouteIsClosed(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.stack(tr.hook("1", nil), picky{refuse: "/bad"})
	mux := muxWith(stack, "/good", tr.handler(nil))
	bare := http.NewServeMux()
	bare.Handle("/bad", tr.handler(nil))
	bare.Handle("/good", tr.handler(nil))
	for name, h := range map[string]http.Handler{"mux": mux, "bare mux": httpadapter.Wrap(stack, bare)} {
		if got := record(h, "GET", "/good"); got.Code != 200 {
			t.Errorf("%s: got %d", name, got.Code)
		}
		if name == "mux" {
			mux.Handle("/bad", tr.handler(nil))
		}
		if got := record(h, "GET", "/bad"); got.Code != 500 {
			t.Errorf("%s: got %d from the refused route", name, got.Code)
		}
		if got := record(h, "GET", "/good"); got.Code != 200 {
			t.Errorf("%s: got %d from the other route", name, got.Code)
		}
	}
	if n := strings.Count(tr.String(), "HND"); n != 4 {
		t.Errorf("%d handlers ran", n)
	}
}

// TestWholeHandlerIsChecked: a handler that is one method can be refused ahead.
func TestWholeHandlerIsChecked(t *testing.T) {
	t.Parallel()
	h := httpadapter.Wrap(interceptor.MustNew(picky{refuse: "*"}), http.NotFoundHandler())
	if err := h.(interface{ Check() error }).Check(); !errors.Is(err, errTest) {
		t.Errorf("Check: %v", err)
	}
}

// TestMisuse panics at construction, naming the function.
func TestMisuse(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew()
	for want, f := range map[string]func(){
		"NewMux with a nil stack": func() { httpadapter.NewMux(nil) },
		"Wrap with a nil stack":   func() { httpadapter.Wrap(nil, http.NotFoundHandler()) },
		"Wrap with a nil handler": func() { httpadapter.Middleware(stack)(nil) },
		"Handle(/, nil)":          func() { httpadapter.NewMux(stack).Handle("/", nil) },
		"HandleFunc(/, nil)":      func() { httpadapter.NewMux(stack).HandleFunc("/", nil) },
		"StripPrefix(/p, nil)":    func() { httpadapter.StripPrefix("/p", nil) },
		"conflicts with pattern":  func() { m := muxWith(stack, "/a", http.NotFoundHandler()); m.Handle("/a", http.NotFoundHandler()) },
		"parsing \"{\"":           func() { httpadapter.NewMux(stack).Handle("{", http.NotFoundHandler()) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), want) {
					t.Errorf("panicked with %v, want %q", v, want)
				}
			}()
			f()
		}()
	}
	if h := http.NotFoundHandler(); fmt.Sprintf("%p", httpadapter.StripPrefix("", h)) != fmt.Sprintf("%p", h) {
		t.Error("an empty prefix made another handler")
	}
}

// TestPatternRegisteredInBetween: a bare mux that runs another route than it had
// matched is found out.
func TestPatternRegisteredInBetween(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	bare := http.NewServeMux()
	bare.Handle("/x/", tr.handler(nil))
	stack := tr.two(func(f *interceptor.Funcs) {
		f.BeforeHandler = func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			bare.HandleFunc("/x/y", func(http.ResponseWriter, *http.Request) {})
			return ctx, nil
		}
	})
	got := record(httpadapter.Wrap(stack, bare), "GET", "/x/y")
	if end := tr.end(t); got.Code != 500 || end.code != "Internal" || !strings.Contains(end.err.Error(), "/x/y") {
		t.Errorf("got %d, AfterResponse saw %s %v", got.Code, end.code, end.err)
	}
}
