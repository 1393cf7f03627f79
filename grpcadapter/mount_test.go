package grpcadapter_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// exchange stands in for the HTTP side of a call: as little as a layer around
// ServeHTTP can be.
type exchange struct {
	r         *http.Request
	beforeEnd []func()
}

var _ httpwire.Exchange = (*exchange)(nil)

func (e *exchange) Kind() driver.Kind                       { return driver.GRPC }
func (e *exchange) Protocol() string                        { return "2" }
func (e *exchange) Path() string                            { return e.r.URL.Path }
func (e *exchange) Authority() string                       { return e.r.Host }
func (e *exchange) Scheme() string                          { return "https" }
func (e *exchange) HTTPMethod() string                      { return "" }
func (e *exchange) Peer() driver.Peer                       { return driver.Peer{TLS: e.r.TLS} }
func (e *exchange) RequestHeader(key string) []string       { return e.r.Header.Values(key) }
func (e *exchange) DeleteRequestHeader(key string)          { e.r.Header.Del(key) }
func (e *exchange) HeaderChanged(driver.Header, bool) error { return nil }
func (e *exchange) Invoke(context.Context) error            { return errors.New("not the runner") }
func (e *exchange) Encode(any) error                        { return errors.New("not the runner") }
func (e *exchange) Request() *http.Request                  { return e.r }
func (e *exchange) SetRequest(r *http.Request)              { e.r = r }
func (e *exchange) Refuse()                                 {}
func (e *exchange) SetRenderer(httpwire.Renderer)           {}
func (e *exchange) BeforeEnd(f func())                      { e.beforeEnd = append(e.beforeEnd, f) }

// around begins a call of stack for every request, hands it to srv times times,
// and ends it.
func around(stack *interceptor.Stack, srv http.Handler, times int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &exchange{r: r}
		call := new(interceptor.Call)
		ctx := ops.Begin(call, stack, r.Context(), e)
		e.r = r.WithContext(ctx)
		if ops.Request(call) {
			for range times {
				srv.ServeHTTP(w, e.r.WithContext(ops.Inner(call)))
			}
		}
		for _, f := range e.beforeEnd {
			f()
		}
		ops.End(call, 0)
	})
}

// mounted serves h over HTTP/2 and returns a connection to it.
func mounted(t *testing.T, h http.Handler) *grpc.ClientConn {
	t.Helper()
	ts := httptest.NewUnstartedServer(h)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	t.Cleanup(ts.Close)
	config := ts.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.MinVersion = tls.VersionTLS12
	conn, err := grpc.NewClient(ts.Listener.Addr().(*net.TCPAddr).String(), grpc.WithTransportCredentials(credentials.NewTLS(config)), grpc.WithAuthority("example.com"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestServeHTTP mounts a server under net/http, alone and inside a layer of the
// same stack: one call either way.
func TestServeHTTP(t *testing.T) {
	t.Parallel()
	for _, inside := range []bool{false, true} {
		for _, kind := range kinds {
			t.Run(fmt.Sprint("inside a call ", inside, "/", kind.name), func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := threeProbes(t, tr, func(p [3]*probe) {
					p[1].handler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
						c.RequestHeader().Del("x-secret")
						return context.WithValue(ctx, mountValue{}, "from the hook"), nil
					}
				})
				srv := grpcadapter.NewServer(stack)
				var seen context.Context
				pb.RegisterConformanceServiceServer(srv, everyKind(func(ctx context.Context) error {
					seen = ctx
					return nil
				}))
				var h http.Handler = srv
				if inside {
					h = around(stack, srv, 1)
				}
				got := kind.call(outgoing(t, "x-secret", "1", "x-open-bin", "\xff"), pb.NewConformanceServiceClient(mounted(t, h)))
				call := tr.end(t)
				if s := tr.String(); strings.Count(s, "BR123 BH123") != 1 || !strings.HasSuffix(s, "AR321") || strings.Contains(s, "OE") && kind.full != clientName {
					t.Errorf("phases: %s; client got %+v", s, got)
				}
				if call.Method().Name() != kind.full || call.Protocol() != "2" || call.Peer().TLS == nil {
					t.Errorf("method %q, protocol %q, peer %+v", call.Method().Name(), call.Protocol(), call.Peer())
				}
				md, _ := metadata.FromIncomingContext(seen)
				wantValues(t, "handler", md, "x-secret")
				wantValues(t, "handler", md, "x-open-bin", "\xff")
				if md, ok := grpcadapter.MetadataFrom(call); !ok || len(md.Get("x-secret")) != 0 || md.Get("x-open-bin")[0] != "\xff" {
					t.Errorf("MetadataFrom: %v, %v", md, ok)
				}
				if v := seen.Value(mountValue{}); v != "from the hook" {
					t.Errorf("the handler's context has %v", v)
				}
			})
		}
	}
}

type mountValue struct{}

// TestMountedFailures checks failures of mounted calls: one AfterResponse, with
// what the client got, and the server lives.
func TestMountedFailures(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		handle func(context.Context) error
		code   codes.Code
	}{
		{"error", func(context.Context) error { return status.Error(codes.NotFound, "no") }, codes.NotFound},
		{"panic", func(context.Context) error { panic("secret") }, codes.Internal},
	}
	for _, inside := range []bool{false, true} {
		for _, c := range cases {
			for _, kind := range kinds {
				t.Run(fmt.Sprint("inside a call ", inside, "/", c.name, "/", kind.name), func(t *testing.T) {
					t.Parallel()
					tr := newTrace()
					stack := threeProbes(t, tr, nil)
					srv := grpcadapter.NewServer(stack)
					pb.RegisterConformanceServiceServer(srv, everyKind(c.handle))
					var h http.Handler = srv
					if inside {
						h = around(stack, srv, 1)
					}
					client := pb.NewConformanceServiceClient(mounted(t, h))
					for range 2 {
						got := kind.call(within(t), client)
						if call := tr.end(t); got.code != c.code || call.Code() != c.code {
							t.Errorf("client got %+v, AfterResponse saw %v", got, call.Err())
						}
					}
				})
			}
		}
	}
}

// TestMountedUnknownMethod is one call and no BeforeHandler.
func TestMountedUnknownMethod(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := threeProbes(t, tr, nil)
	err := mounted(t, around(stack, grpcadapter.NewServer(stack), 1)).Invoke(within(t), "/no.Such/Thing", &pb.Nested{}, &pb.Nested{})
	tr.end(t)
	if status.Code(err) != codes.Unimplemented || status.Convert(err).Message() != "unknown service no.Such" {
		t.Errorf("client got %v", err)
	}
	wantTrace(t, tr, "BR123 OE321 RS321 AR321")
}

// TestMountedTwice serves one request twice: the second dispatch is a call of its
// own.
func TestMountedTwice(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := threeProbes(t, tr, nil)
	srv := grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(srv, &service{})
	callUnary(within(t), pb.NewConformanceServiceClient(mounted(t, around(stack, srv, 2))))
	if a, b := tr.end(t), tr.end(t); a == b {
		t.Error("one call ended twice")
	}
	if s := tr.String(); strings.Count(s, "BR123 BH123") != 2 {
		t.Errorf("phases: %s", s)
	}
}

// TestMountedInAnotherStack makes two calls: the stack must be the same pointer.
func TestMountedInAnotherStack(t *testing.T) {
	t.Parallel()
	outer, inner := newTrace(), newTrace()
	srv := grpcadapter.NewServer(threeProbes(t, inner, nil))
	pb.RegisterConformanceServiceServer(srv, &service{})
	got := callUnary(within(t), pb.NewConformanceServiceClient(mounted(t, around(threeProbes(t, outer, nil), srv, 1))))
	outer.end(t)
	inner.end(t)
	if got.code != codes.OK {
		t.Errorf("client got %+v", got)
	}
	wantTrace(t, outer, "BR123 AR321")
	wantTrace(t, inner, "BR123 BH123 RX123 TX321 RS321 AR321")
}

// TestMountedInAnotherStackFails: how the call of the inner stack ended is nothing
// to that of the outer one.
func TestMountedInAnotherStackFails(t *testing.T) {
	t.Parallel()
	outer, inner := newTrace(), newTrace()
	srv := grpcadapter.NewServer(threeProbes(t, inner, nil))
	pb.RegisterConformanceServiceServer(srv, everyKind(func(context.Context) error { return status.Error(codes.NotFound, "none") }))
	got := callUnary(within(t), pb.NewConformanceServiceClient(mounted(t, around(threeProbes(t, outer, nil), srv, 1))))
	if err := outer.end(t).Err(); err != nil {
		t.Errorf("the outer call ended with %v", err)
	}
	if err := inner.end(t).Err(); status.Code(err) != codes.NotFound || got.code != codes.NotFound {
		t.Errorf("the inner call ended with %v, client got %+v", err, got)
	}
}

// TestMountedDispatchAgain: a handler that hands the server another request with
// its own context makes another call, which is decided about.
func TestMountedDispatchAgain(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := threeProbes(t, tr, nil)
	srv := grpcadapter.NewServer(stack)
	inner := httptest.NewRecorder()
	pb.RegisterConformanceServiceServer(srv, &service{unary: func(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		if in.GetText() == "" { // the empty message below
			return &pb.UnaryResponse{}, nil
		}
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, unaryName, strings.NewReader("\x00\x00\x00\x00\x00"))
		r.ProtoMajor, r.ProtoMinor = 2, 0
		r.Header.Set("Content-Type", "application/grpc")
		srv.ServeHTTP(inner, r)
		return &pb.UnaryResponse{Text: in.GetText()}, nil
	}})
	got := callUnary(within(t), pb.NewConformanceServiceClient(mounted(t, around(stack, srv, 1))))
	if a, b := tr.end(t), tr.end(t); a == b {
		t.Error("one call ended twice")
	}
	if s := tr.String(); strings.Count(s, "BR123 BH123") != 2 {
		t.Errorf("phases: %s; the hooks must decide about both", s)
	}
	if got.code != codes.OK || inner.Header().Get("Grpc-Status") != "0" {
		t.Errorf("client got %+v, handler got status %q", got, inner.Header().Get("Grpc-Status"))
	}
}

// TestMountedChecks answers INTERNAL while Check fails.
func TestMountedChecks(t *testing.T) {
	t.Parallel()
	srv := grpcadapter.NewServer(quiet(t, interceptor.MustNew(interceptor.As("checker", checker{refuse: bidiName}))))
	pb.RegisterConformanceServiceServer(srv, &service{})
	if got := callUnary(within(t), pb.NewConformanceServiceClient(mounted(t, srv))); got.code != codes.Internal {
		t.Errorf("client got %+v", got)
	}
}

// TestRenderError checks the answer to gRPC requests and to others.
func TestRenderError(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew()
	srv := grpcadapter.NewServer(stack)
	err := interceptor.NewError(codes.PermissionDenied, "50% nö", interceptor.WithDetails(&pb.Nested{Text: "d"}))
	cases := []struct {
		name, method, contentType string
		major, status             int
		grpc                      bool
	}{
		{"gRPC", "POST", "application/grpc", 2, 200, true},
		{"with a codec", "POST", "application/grpc+proto", 2, 200, true},
		{"browser", "GET", "", 2, 403, false},
		{"HTTP/1.1", "POST", "application/grpc", 1, 403, false},
		{"grpc-web", "POST", "application/grpc-web", 2, 403, false},
	}
	for _, c := range cases {
		r := httptest.NewRequest(c.method, "/", nil)
		r.ProtoMajor = c.major
		r.Header.Set("Content-Type", c.contentType)
		w := httptest.NewRecorder()
		srv.RenderError(w, r, err)
		if srv.ServesGRPC(r) != c.grpc || w.Code != c.status {
			t.Errorf("%s: ServesGRPC %v, status %d", c.name, srv.ServesGRPC(r), w.Code)
		}
		if c.grpc && (w.Header().Get("Grpc-Status") != "7" || w.Header().Get("Grpc-Message") != "50%25 n%C3%B6" ||
			w.Header().Get("Grpc-Status-Details-Bin") == "" || w.Header().Get("Content-Type") != c.contentType || w.Body.Len() != 0) {
			t.Errorf("%s: %v %q", c.name, w.Header(), w.Body)
		}
		if !c.grpc && (w.Header().Get("Grpc-Status") != "" || w.Body.String() != "50% nö\n") {
			t.Errorf("%s: %v %q", c.name, w.Header(), w.Body)
		}
	}
	if !srv.ResolvesFor(stack) || srv.ResolvesFor(interceptor.MustNew()) || srv.ResolvesFor(nil) {
		t.Error("ResolvesFor does not tell stacks apart")
	}
}
