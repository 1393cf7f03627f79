package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

func overConn(t *testing.T, s *site) {
	t.Helper()
	if err := pb.RegisterConformanceServiceHandlerClient(t.Context(), s.gw.Mux(), pb.NewConformanceServiceClient(s.grpc.Conn())); err != nil {
		t.Fatal(err)
	}
}

func withHandlerServer(t *testing.T, s *site) {
	t.Helper()
	if err := pb.RegisterConformanceServiceHandlerServer(t.Context(), s.gw.Mux(), s.svc); err != nil {
		t.Fatal(err)
	}
}

func middleware(m func(next runtime.HandlerFunc) runtime.HandlerFunc) []gateway.Option {
	return []gateway.Option{gateway.MuxOptions(runtime.WithMiddlewares(m))}
}

// Nobody gets around the stack: the handler does not run, the client learns
// nothing, the operator learns what to do.
func TestNoWayAround(t *testing.T) {
	t.Parallel()
	var registered atomic.Pointer[runtime.HandlerFunc] // last, of whatever route
	tests := []struct {
		name   string
		setup  setup
		path   string
		report string
	}{
		{"HandlerServer", setup{register: withHandlerServer}, "/v1/conformance/7", "HandlerClient"},
		{"HandlerServer below a middleware that recovers panics", setup{register: withHandlerServer, opts: middleware(func(next runtime.HandlerFunc) runtime.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request, p map[string]string) {
				defer func() {
					if recover() != nil {
						w.WriteHeader(http.StatusInternalServerError)
					}
				}()
				next(w, r, p)
			}
		})}, "/v1/conformance/7", "HandlerClient"},
		{"a remote connection", setup{register: func(t *testing.T, s *site) {
			t.Helper()
			if err := pb.RegisterConformanceServiceHandler(t.Context(), s.gw.Mux(), dial(t, s)); err != nil {
				t.Fatal(err)
			}
		}}, "/v1/conformance/7", "Conn()"},
		{"a remote connection, stream", setup{register: func(t *testing.T, s *site) {
			t.Helper()
			if err := pb.RegisterConformanceServiceHandler(t.Context(), s.gw.Mux(), dial(t, s)); err != nil {
				t.Fatal(err)
			}
		}}, "/v1/conformance:stream", "Conn()"},
		{"the connection of another stack", setup{register: func(t *testing.T, s *site) {
			t.Helper()
			other := grpcadapter.NewServer(interceptor.MustNew())
			t.Cleanup(other.Stop)
			pb.RegisterConformanceServiceServer(other, s.svc)
			if err := pb.RegisterConformanceServiceHandlerClient(t.Context(), s.gw.Mux(), pb.NewConformanceServiceClient(other.Conn())); err != nil {
				t.Fatal(err)
			}
		}}, "/v1/conformance/7", "Conn()"},
		{"the mux mounted directly", setup{handler: func(_ *testing.T, s *site) http.Handler { return s.gw.Mux() }}, "/v1/conformance/7", "gateway.Handler"},
		{"the mux wrapped", setup{handler: func(_ *testing.T, s *site) http.Handler { return httpadapter.Wrap(s.stack, s.gw.Mux()) }}, "/v1/conformance/7", "gateway.Handler"},
		{"the mux wrapped, of a gateway that serves", setup{handler: func(t *testing.T, s *site) http.Handler {
			t.Helper()
			if err := s.gw.Check(); err != nil {
				t.Error(err)
			}
			return httpadapter.Wrap(s.stack, s.gw.Mux())
		}}, "/v1/conformance/7", "decided for *"},
		{"the mux wrapped in another stack", setup{handler: func(t *testing.T, s *site) http.Handler {
			t.Helper()
			if err := s.gw.Check(); err != nil {
				t.Error(err)
			}
			return httpadapter.Wrap(interceptor.MustNew(), s.gw.Mux())
		}}, "/v1/conformance/7", "gateway.Handler"},
		{"the mux below NewMux", setup{handler: func(_ *testing.T, s *site) http.Handler {
			mux := httpadapter.NewMux(s.stack)
			mux.Handle("/v1/", s.gw.Mux())
			return mux
		}}, "/v1/conformance/7", "gateway.Handler"},
		{"the gateway behind a foreign middleware in a mount", setup{handler: func(_ *testing.T, s *site) http.Handler {
			mux := httpadapter.NewMux(s.stack)
			mux.Handle("/v1/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.gw.ServeHTTP(w, r) }))
			return mux
		}}, "/v1/conformance/7", "httpadapter.StripPrefix"},
		{"a middleware that runs another route", setup{opts: middleware(func(next runtime.HandlerFunc) runtime.HandlerFunc {
			registered.Store(&next)
			return func(w http.ResponseWriter, r *http.Request, p map[string]string) {
				(*registered.Load())(w, r, p) // BidiStream, for every route
			}
		})}, "/v1/conformance/7", "gateway.Bind"},
		{"a middleware that drops the context", setup{opts: middleware(func(next runtime.HandlerFunc) runtime.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request, p map[string]string) {
				next(w, r.WithContext(context.Background()), p)
			}
		})}, "/v1/conformance/7", "request_context=true"},
		{"a binding that names another RPC", setup{opts: []gateway.Option{
			gateway.Bind("GET", "/v1/conformance/{id}", pb.ConformanceService_ServerStream_FullMethodName),
		}}, "/v1/conformance/7", "gateway.Bind"},
		{"a binding of an RPC that is not served", setup{opts: []gateway.Option{gateway.Bind("GET", "/v1/x", "/no.such.Service/M")}}, "/v1/conformance/7", "serves no such RPC"},
		{"a custom route that dispatches an RPC", setup{register: func(t *testing.T, s *site) {
			t.Helper()
			overConn(t, s)
			client := pb.NewConformanceServiceClient(s.grpc.Conn())
			if err := s.gw.Mux().HandlePath("GET", "/custom/{id}", func(_ http.ResponseWriter, r *http.Request, _ map[string]string) {
				ctx, err := runtime.AnnotateContext(r.Context(), s.gw.Mux(), r, pb.ConformanceService_Unary_FullMethodName)
				if err == nil {
					_, _ = client.Unary(ctx, &pb.UnaryRequest{})
				}
			}); err != nil {
				t.Fatal(err)
			}
		}}, "/custom/7", "gateway.Bind"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			tt.setup.hooks = []interceptor.Hook{tr.hook("1", nil)}
			s := newSite(t, tt.setup)
			got := s.get(t, tt.path)
			if n := s.svc.ran.Load(); n != 0 {
				t.Errorf("the handler ran %d times", n)
			}
			if got.StatusCode != http.StatusInternalServerError {
				t.Errorf("got %d %s, want 500", got.StatusCode, got.body)
			}
			if strings.Contains(got.body, "Conn()") || strings.Contains(got.body, "gateway") || strings.Contains(got.body, "request_context") {
				t.Errorf("the client reads advice for the operator: %s", got.body)
			}
			if r := s.reports.String(); r == "" || !strings.Contains(r, tt.report) {
				t.Errorf("the operator reads %q, want advice with %q", r, tt.report)
			}
		})
	}
}

// Without hooks that need messages a remote connection loses nothing, so it is
// allowed: the gateway's stack decides, the server at the other end on its own.
func TestRemoteConnectionWithoutMessageHooks(t *testing.T) {
	t.Parallel()
	refuse := false
	hook := func() interceptor.Hook {
		return interceptor.FromFuncs("decide", interceptor.Funcs{
			BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
				if m.Name() != pb.ConformanceService_Unary_FullMethodName || m.Descriptor() == nil || refuse {
					return nil, context.Canceled
				}
				return ctx, nil
			},
		})
	}
	back := newSite(t, setup{})
	remote := dial(t, back)
	front := newSite(t, setup{hooks: []interceptor.Hook{hook()}, conn: remote, register: func(t *testing.T, s *site) {
		t.Helper()
		if err := pb.RegisterConformanceServiceHandler(t.Context(), s.gw.Mux(), remote); err != nil {
			t.Fatal(err)
		}
	}})
	if got := front.get(t, "/v1/conformance/7"); got.StatusCode != 200 || back.svc.ran.Load() != 1 {
		t.Errorf("got %d %s, and the remote handler ran %d times", got.StatusCode, got.body, back.svc.ran.Load())
	}
	refuse = true
	if got := front.get(t, "/v1/conformance/7"); got.StatusCode != 499 || back.svc.ran.Load() != 1 {
		t.Errorf("refused: got %d %s, and the remote handler ran %d times", got.StatusCode, got.body, back.svc.ran.Load())
	}
}

// A reply of a hook is not dispatched to a connection that does not know of it.
func TestReplyIsNotDispatchedToARemoteConnection(t *testing.T) {
	t.Parallel()
	hook := interceptor.FromFuncs("reply", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return ctx, call.Reply(&pb.UnaryResponse{Text: "from the hook"})
		},
	})
	back := newSite(t, setup{})
	remote := dial(t, back)
	front := newSite(t, setup{hooks: []interceptor.Hook{hook}, conn: remote, register: func(t *testing.T, s *site) {
		t.Helper()
		if err := pb.RegisterConformanceServiceHandler(t.Context(), s.gw.Mux(), remote); err != nil {
			t.Fatal(err)
		}
	}})
	got := front.get(t, "/v1/conformance/7")
	if got.StatusCode != 200 || !strings.Contains(got.body, "from the hook") || back.svc.ran.Load() != 0 {
		t.Errorf("got %d %s, and the remote handler ran %d times; want the reply and 0", got.StatusCode, got.body, back.svc.ran.Load())
	}
}

// Two stacks are two calls, and the hooks of both run.
func TestTwoStacks(t *testing.T) {
	t.Parallel()
	outer, inner := newTrace(), newTrace()
	s := newSite(t, setup{hooks: []interceptor.Hook{inner.hook("1", nil)}, handler: func(_ *testing.T, s *site) http.Handler {
		return httpadapter.Wrap(interceptor.MustNew(outer.hook("1", nil)), s.gw)
	}})
	if got := s.get(t, "/v1/conformance/7"); got.StatusCode != 200 {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	if end := inner.end(t); end.phases != "BR1 BH1 RX1 TX1 RS1 AR1" || end.method.Name() != pb.ConformanceService_Unary_FullMethodName {
		t.Errorf("the inner call was %s with %s", end.method.Name(), end.phases)
	}
	if end := outer.end(t); end.phases != "BR1 BH1 RS1 AR1" || end.method.Name() != "*" {
		t.Errorf("the outer call was %s with %s", end.method.Name(), end.phases)
	}
}

// A second dispatch on one request is a call of its own: it has its own hooks,
// and the first call's decision does not count for it.
func TestSecondDispatchIsAnotherCall(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := newSite(t, setup{
		hooks: []interceptor.Hook{tr.hook("1", nil)},
		opts: middleware(func(next runtime.HandlerFunc) runtime.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request, p map[string]string) {
				next(discardBody{w}, r, p)
				next(w, r, p)
			}
		}),
	})
	got := s.get(t, "/v1/conformance/7")
	if got.StatusCode != 200 {
		t.Fatalf("got %d %s", got.StatusCode, got.body)
	}
	if n := s.svc.ran.Load(); n != 2 {
		t.Errorf("the handler ran %d times", n)
	}
	first, second := <-tr.ended, <-tr.ended // the inner call ends before the REST call
	if all := first.phases + " " + second.phases; strings.Count(all, "BH1") != 2 || strings.Count(all, "BR1") != 2 || strings.Count(all, "RX1") != 2 {
		t.Errorf("phases %s: every handler run needs a BeforeHandler", all)
	}
}

// discardBody lets headers through and nothing else.
type discardBody struct{ http.ResponseWriter }

func (discardBody) Write(p []byte) (int, error) { return len(p), nil }
func (discardBody) WriteHeader(int)             {}

// A look-up that a middleware or annotator makes over the connection does not
// take over the REST call.
func TestLookupOfMiddlewareDoesNotStealTheCall(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	var client pb.ConformanceServiceClient
	s := newSite(t, setup{
		hooks: []interceptor.Hook{tr.hook("1", nil)},
		opts: []gateway.Option{gateway.MuxOptions(
			runtime.WithMiddlewares(func(next runtime.HandlerFunc) runtime.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request, p map[string]string) {
					_, _ = client.Unary(r.Context(), &pb.UnaryRequest{Id: "middleware"})
					next(w, r, p)
				}
			}),
			runtime.WithMetadata(func(ctx context.Context, _ *http.Request) metadata.MD {
				_, _ = client.Unary(ctx, &pb.UnaryRequest{Id: "annotator"})
				return nil
			}),
		)},
		register: func(t *testing.T, s *site) {
			t.Helper()
			overConn(t, s)
			client = pb.NewConformanceServiceClient(s.grpc.Conn())
		},
	})
	if got := s.get(t, "/v1/conformance/7"); got.StatusCode != 200 || !strings.Contains(got.body, `"7"`) {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	var rest int
	for range 3 {
		if o := <-tr.ended; o.httpStatus == 200 {
			rest++
			if o.received != 1 || o.sent != 1 {
				t.Errorf("the REST call has %d messages in and %d out", o.received, o.sent)
			}
		}
	}
	if rest != 1 {
		t.Errorf("%d REST calls ended, want 1", rest)
	}
}

// A route of HandlePath is a plain route with a decision of its own.
func TestCustomRouteIsAPlainRoute(t *testing.T) {
	t.Parallel()
	refused := func(m *interceptor.Method) bool { return strings.Contains(m.Name(), "secret") }
	tr := newTrace()
	ran := 0
	s := newSite(t, setup{
		hooks: []interceptor.Hook{tr.hook("1", nil), interceptor.FromFuncs("decide", interceptor.Funcs{
			BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
				if refused(m) {
					return nil, context.Canceled
				}
				return ctx, nil
			},
		})},
		register: func(t *testing.T, s *site) {
			t.Helper()
			for _, path := range []string{"/open/{name}", "/secret/{name=**}"} {
				if err := s.gw.Mux().HandlePath("GET", path, func(http.ResponseWriter, *http.Request, map[string]string) { ran++ }); err != nil {
					t.Fatal(err)
				}
			}
		},
	})
	s.get(t, "/open/x")
	if end := tr.end(t); end.method.Name() != "GET /open/{name}" || end.method.Descriptor() != nil || end.route != "/open/{name}" || end.code != "OK" || ran != 1 {
		t.Errorf("%s, descriptor %v, route %s, %s, ran %d times", end.method.Name(), end.method.Descriptor(), end.route, end.code, ran)
	}
	s.get(t, "/secret/x/y")
	if end := tr.end(t); end.method.Name() != "GET /secret/{name=**}" || ran != 1 {
		t.Errorf("%s, ran %d times; want the refusal to hold", end.method.Name(), ran)
	}
}
