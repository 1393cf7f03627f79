package httpadapter_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// fails is an error hooks reject with.
var fails = interceptor.NewError(codes.PermissionDenied, "not you", interceptor.WithCause(errTest))

// TestPhases walks the ways through a call of a plain route.
func TestPhases(t *testing.T) {
	t.Parallel()
	reject := func(ctx context.Context, _ *interceptor.Call) (context.Context, error) { return ctx, fails }
	tests := []struct {
		name    string
		hook2   func(tr *trace, f *interceptor.Funcs)
		handler http.HandlerFunc
		phases  string
		status  int
		code    codes.Code
	}{
		{
			name:   "nothing written",
			phases: "BR1 BR2 BH1 BH2 HND RS2 RS1 AR2 AR1", status: 200,
		},
		{
			name:    "written",
			handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) },
			phases:  "BR1 BR2 BH1 BH2 HND RS2 RS1 AR2 AR1", status: 201,
		},
		{
			name:    "handler writes an error status",
			handler: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "gone", 410) },
			phases:  "BR1 BR2 BH1 BH2 HND OE2 OE1 RS2 RS1 AR2 AR1", status: 410, code: codes.InvalidArgument,
		},
		{
			name:    "handler panics",
			handler: func(http.ResponseWriter, *http.Request) { panic(errTest) },
			phases:  "BR1 BR2 BH1 BH2 HND OE2 OE1 RS2 RS1 AR2 AR1", status: 500, code: codes.Internal,
		},
		{
			name:   "BeforeRequest rejects",
			hook2:  func(_ *trace, f *interceptor.Funcs) { f.BeforeRequest = reject },
			phases: "BR1 OE1 RS1 AR1", status: 403, code: codes.PermissionDenied,
		},
		{
			name: "BeforeHandler rejects",
			hook2: func(_ *trace, f *interceptor.Funcs) {
				f.BeforeHandler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					return reject(ctx, c)
				}
			},
			phases: "BR1 BR2 BH1 OE2 OE1 RS2 RS1 AR2 AR1", status: 403, code: codes.PermissionDenied,
		},
		{
			name: "hook panics",
			hook2: func(_ *trace, f *interceptor.Funcs) {
				f.BeforeHandler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) { panic(errTest) }
			},
			phases: "BR1 BR2 BH1 OE2 OE1 RS2 RS1 AR2 AR1", status: 500, code: codes.Internal,
		},
		{
			name: "WrapHandler runs around the handler",
			hook2: func(tr *trace, f *interceptor.Funcs) {
				f.WrapHandler = func(next interceptor.Handler) interceptor.Handler {
					return func(ctx context.Context, call *interceptor.Call) error {
						tr.add("(")
						defer tr.add(")")
						return next(ctx, call)
					}
				}
			},
			phases: "BR1 BR2 BH1 BH2 ( HND ) RS2 RS1 AR2 AR1", status: 200,
		},
		{
			name: "WrapHandler sees the status the handler wrote",
			hook2: func(tr *trace, f *interceptor.Funcs) {
				f.WrapHandler = func(next interceptor.Handler) interceptor.Handler {
					return func(ctx context.Context, call *interceptor.Call) error {
						err := next(ctx, call)
						var wrote *interceptor.StatusError
						if errors.As(err, &wrote) {
							tr.add(wrote.Error())
						}
						return err
					}
				}
			},
			handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(409) },
			phases:  "BR1 BR2 BH1 BH2 HND OE2 OE1 RS2 RS1 the handler answered 409 Conflict AR2 AR1", status: 409, code: codes.Aborted,
		},
		{
			name: "WrapHandler fails instead",
			hook2: func(_ *trace, f *interceptor.Funcs) {
				f.WrapHandler = func(interceptor.Handler) interceptor.Handler {
					return func(context.Context, *interceptor.Call) error { return fails }
				}
			},
			phases: "BR1 BR2 BH1 BH2 OE2 OE1 RS2 RS1 AR2 AR1", status: 403, code: codes.PermissionDenied,
		},
	}
	for _, test := range tests {
		for name, serve := range map[string]func(*interceptor.Stack, http.Handler) http.Handler{
			"mux":  func(s *interceptor.Stack, h http.Handler) http.Handler { return muxWith(s, "GET /a", h) },
			"wrap": func(s *interceptor.Stack, h http.Handler) http.Handler { return httpadapter.Wrap(s, h) },
		} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := tr.two(func(f *interceptor.Funcs) {
					if test.hook2 != nil {
						test.hook2(tr, f)
					}
				})
				got := get(t, serveHTTP(t, serve(stack, tr.handler(test.handler))), "/a")
				end := tr.end(t)
				tr.want(t, test.phases)
				if got.StatusCode != test.status || end.status != test.status || end.code != test.code.String() {
					t.Errorf("client got %d; AfterResponse saw %d and %s; want %d and %s", got.StatusCode, end.status, end.code, test.status, test.code)
				}
				if end.status >= 400 != (end.err != nil) {
					t.Errorf("status %d with Err %v", end.status, end.err)
				}
			})
		}
	}
}

// TestUnmatchedIsTheMuxsOwnAnswer: 404, 405 and redirects go out byte for byte
// and are no routes.
func TestUnmatchedIsTheMuxsOwnAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path string
		phases             string
		code               codes.Code
	}{
		{"404", "GET", "/none", "BR1 BR2 OE2 OE1 RS2 RS1 AR2 AR1", codes.NotFound},
		{"405", "POST", "/tree/", "BR1 BR2 OE2 OE1 RS2 RS1 AR2 AR1", codes.Unimplemented},
		{"trailing slash", "GET", "/tree", "BR1 BR2 RS2 RS1 AR2 AR1", codes.OK},
		{"clean path", "GET", "//tree/x", "BR1 BR2 RS2 RS1 AR2 AR1", codes.OK},
	}
	bare := http.NewServeMux()
	bare.HandleFunc("GET /tree/", func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })
	for _, test := range tests {
		for name, serve := range map[string]func(*interceptor.Stack) http.Handler{
			"mux":             func(s *interceptor.Stack) http.Handler { return muxWith(s, "GET /tree/", bare) },
			"wrapped mux":     func(s *interceptor.Stack) http.Handler { return httpadapter.Wrap(s, bare) },
			"middleware":      func(s *interceptor.Stack) http.Handler { return httpadapter.Middleware(s)(bare) },
			"wrapped our mux": func(s *interceptor.Stack) http.Handler { return httpadapter.Wrap(s, muxWith(s, "GET /tree/", bare)) },
		} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				want := record(bare, test.method, "http://example.com"+test.path)
				got := record(serve(tr.two(nil)), test.method, "http://example.com"+test.path)
				end := tr.end(t)
				tr.want(t, test.phases)
				if got.Code != want.Code || got.Body.String() != want.Body.String() || !sameHeader(got.Header(), want.Header()) {
					t.Errorf("got %d %v %q, a bare mux answers %d %v %q", got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
				}
				if end.status != want.Code || end.code != test.code.String() || end.method != "" || end.route != "" {
					t.Errorf("AfterResponse saw %d %s for method %q, route %q", end.status, end.code, end.method, end.route)
				}
			})
		}
	}
}

func sameHeader(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for key := range a {
		if len(a[key]) != len(b[key]) || a.Get(key) != b.Get(key) {
			return false
		}
	}
	return true
}

// TestContexts: what hooks put into the context reaches the handler, and the path
// values of the mux are there as well.
func TestContexts(t *testing.T) {
	t.Parallel()
	type key string
	put := func(ctx context.Context, k string) context.Context { return context.WithValue(ctx, key(k), k) }
	tr := newTrace()
	stack := tr.two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, _ *interceptor.Call) (context.Context, error) { return put(ctx, "BR"), nil }
		f.BeforeHandler = func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return put(ctx, "BH"), nil
		}
		f.WrapHandler = func(next interceptor.Handler) interceptor.Handler {
			return func(ctx context.Context, call *interceptor.Call) error { return next(put(ctx, "WH"), call) }
		}
	})
	var seen []any
	mux := muxWith(stack, "/items/{id}", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		call, _ := interceptor.CallFrom(r.Context())
		own, ok := httpadapter.RequestFrom(call)
		seen = append(seen, r.Context().Value(key("BR")), r.Context().Value(key("BH")), r.Context().Value(key("WH")),
			r.PathValue("id"), r.Pattern, call.Route(), ok && own == r)
	}))
	record(mux, "GET", "/items/7")
	want := []any{"BR", "BH", "WH", "7", "/items/{id}", "/items/{id}", true}
	for i := range want {
		if i >= len(seen) || seen[i] != want[i] {
			t.Fatalf("the handler saw %v, want %v", seen, want)
		}
	}
}

// TestRequestAfterResponse: pattern and path values are visible in AfterResponse.
func TestRequestAfterResponse(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(*interceptor.Stack, http.Handler) http.Handler{
		"mux": func(s *interceptor.Stack, h http.Handler) http.Handler { return muxWith(s, "GET /items/{id}", h) },
		"wrapped mux": func(s *interceptor.Stack, h http.Handler) http.Handler {
			bare := http.NewServeMux()
			bare.Handle("GET /items/{id}", h)
			return httpadapter.Wrap(s, bare)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			record(serve(tr.two(nil), tr.handler(nil)), "GET", "/items/7")
			end := tr.end(t)
			r, ok := httpadapter.RequestFrom(end.call)
			if !ok || r.Pattern != "GET /items/{id}" || r.PathValue("id") != "7" {
				t.Errorf("pattern %q, id %q", r.Pattern, r.PathValue("id"))
			}
			if end.method != "GET /items/{id}" || end.route != "/items/{id}" {
				t.Errorf("method %q, route %q", end.method, end.route)
			}
		})
	}
}

// TestRequestFromElsewhere: calls that are not ours have no request.
func TestRequestFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, call := range []*interceptor.Call{nil, new(interceptor.Call)} {
		if r, ok := httpadapter.RequestFrom(call); r != nil || ok {
			t.Errorf("RequestFrom = %v, %v", r, ok)
		}
	}
}
