package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

type shouting struct{ runtime.JSONPb }

func (s *shouting) ContentType(any) string { return "application/x-shout" }
func (s *shouting) Marshal(v any) ([]byte, error) {
	b, err := s.JSONPb.Marshal(v)
	return []byte(strings.ToUpper(string(b))), err
}

type domainError struct{ reason string }

func (e *domainError) Error() string              { return e.reason }
func (e *domainError) GRPCStatus() *status.Status { return status.New(codes.Aborted, "public") }

// The user's options work as on a bare gateway, on success and on error.
func TestMuxOptionsWork(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		opts   []runtime.ServeMuxOption
		svc    *service
		path   string
		status int
		body   string
		header [2]string
	}{
		{"marshaler", []runtime.ServeMuxOption{runtime.WithMarshalerOption(runtime.MIMEWildcard, &shouting{})}, nil,
			"/v1/conformance/x", 200, `"TEXT":"X"`, [2]string{"Content-Type", "application/x-shout"}},
		{"marshaler, routing error", []runtime.ServeMuxOption{runtime.WithMarshalerOption(runtime.MIMEWildcard, &shouting{})}, nil,
			"/v1/nothing", 404, `"MESSAGE":"NOTFOUND"`, [2]string{"Content-Type", "application/x-shout"}},
		{"error handler", []runtime.ServeMuxOption{runtime.WithErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
			var d *domainError
			w.WriteHeader(http.StatusTeapot)
			_, _ = fmt.Fprintf(w, "%s|%v|%v", status.Convert(err).Message(), errors.As(err, &d), err)
		})}, failing(&domainError{"hush"}), "/v1/conformance/x", 418, `public|true|rpcerror:code=Aborteddesc=public`, [2]string{}},
		{"error handler, routing error", []runtime.ServeMuxOption{runtime.WithErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = fmt.Fprint(w, status.Code(err))
		})}, nil, "/v1/nothing", 418, `NotFound`, [2]string{}},
		{"routing error handler", []runtime.ServeMuxOption{runtime.WithRoutingErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, status int) {
			w.WriteHeader(http.StatusGone)
			_, _ = fmt.Fprint(w, status)
		})}, nil, "/v1/nothing", 410, `404`, [2]string{}},
		{"forward option", []runtime.ServeMuxOption{runtime.WithForwardResponseOption(func(_ context.Context, w http.ResponseWriter, _ proto.Message) error {
			w.Header().Set("X-Forwarded-By", "option")
			return nil
		})}, nil, "/v1/conformance/x", 200, `"text":"x"`, [2]string{"X-Forwarded-By", "option"}},
		{"forward option that fails", []runtime.ServeMuxOption{runtime.WithForwardResponseOption(func(context.Context, http.ResponseWriter, proto.Message) error {
			return errors.New("hush")
		})}, nil, "/v1/conformance/x", 500, `"code":13`, [2]string{}},
		{"forward option that fails, stream", []runtime.ServeMuxOption{runtime.WithForwardResponseOption(func(_ context.Context, _ http.ResponseWriter, m proto.Message) error {
			if m == nil {
				return nil // only the header
			}
			return status.Error(codes.DataLoss, "public")
		})}, nil, "/v1/conformance:stream?count=3", 500, `{"error":{"code":15,"message":"public"`, [2]string{}},
		{"rewriter", []runtime.ServeMuxOption{runtime.WithForwardResponseRewriter(func(_ context.Context, m proto.Message) (any, error) {
			return map[string]any{"data": m}, nil
		})}, nil, "/v1/conformance/x", 200, `{"data":{"text":"x"`, [2]string{}},
		{"stream error handler", []runtime.ServeMuxOption{runtime.WithStreamErrorHandler(func(_ context.Context, err error) *status.Status {
			return status.New(codes.DataLoss, "seen: "+err.Error())
		})}, sendThenFail(1, errors.New("hush")), "/v1/conformance:stream", 200, `{"error":{"code":15,"message":"seen:rpcerror:code=Unknowndesc=internalerror"`, [2]string{}},
		{"header matcher", []runtime.ServeMuxOption{runtime.WithIncomingHeaderMatcher(func(key string) (string, bool) {
			return "got-" + key, key == "Accept-Encoding"
		})}, echoMetadata("got-accept-encoding"), "/v1/conformance/x", 200, `['gzip']`, [2]string{}},
		{"annotator", []runtime.ServeMuxOption{runtime.WithMetadata(func(ctx context.Context, _ *http.Request) metadata.MD {
			rpc, _ := runtime.RPCMethod(ctx)
			return metadata.Pairs("annotated", rpc)
		})}, echoMetadata("annotated"), "/v1/conformance/x", 200, `['` + pb.ConformanceService_Unary_FullMethodName, [2]string{}},
		{"middleware that refuses", []runtime.ServeMuxOption{runtime.WithMiddlewares(func(runtime.HandlerFunc) runtime.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request, _ map[string]string) {
				w.WriteHeader(http.StatusPaymentRequired)
			}
		})}, nil, "/v1/conformance/x", 402, ``, [2]string{}},
		{"outgoing header", nil, &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			_ = grpc.SetHeader(ctx, metadata.Pairs("shelf", "a"))
			return &pb.UnaryResponse{}, nil
		}}, "/v1/conformance/x", 200, ``, [2]string{"Grpc-Metadata-Shelf", "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := newSite(t, setup{svc: tt.svc, hooks: []interceptor.Hook{tr.hook("1", nil)}, opts: []gateway.Option{gateway.MuxOptions(tt.opts...)}})
			got := s.get(t, tt.path)
			if body := strings.ReplaceAll(got.body, " ", ""); got.StatusCode != tt.status || !strings.Contains(body, tt.body) || strings.Contains(body, "hush") {
				t.Errorf("got %d %s, want %d with %s", got.StatusCode, got.body, tt.status, tt.body)
			}
			if k := tt.header[0]; k != "" && got.Header.Get(k) != tt.header[1] {
				t.Errorf("header %s is %q, want %q", k, got.Header.Get(k), tt.header[1])
			}
			end := tr.end(t)
			if end.httpStatus != tt.status || strings.Count(end.phases, "AR1") != 1 {
				t.Errorf("AfterResponse saw %d after %s", end.httpStatus, end.phases)
			}
			if failed := tt.status >= 400 || strings.Contains(tt.body, "error"); failed != (strings.Count(end.phases, "OE1") == 1) || failed == (end.code == "OK") {
				t.Errorf("hooks saw %s after %s", end.code, end.phases)
			}
		})
	}
}

// Headers and trailers of the RPC reach the client as from a bare gateway.
func TestResponseMetadata(t *testing.T) {
	t.Parallel()
	svc := &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		_ = grpc.SetHeader(ctx, metadata.Pairs("shelf", "a"))
		_ = grpc.SetTrailer(ctx, metadata.Pairs("left", "3"))
		return &pb.UnaryResponse{}, nil
	}}
	s := newSite(t, setup{svc: svc})
	r := s.request(t, http.MethodGet, "/v1/conformance/7", "")
	r.Header.Set("TE", "trailers")
	got := s.do(t, r)
	if h, tr := got.Header.Values("Grpc-Metadata-Shelf"), got.Trailer.Values("Grpc-Trailer-Left"); len(h) != 1 || h[0] != "a" || len(tr) != 1 || tr[0] != "3" {
		t.Errorf("header %q, trailer %q; want a and 3", h, tr)
	}
}

// A middleware of the user's that panics is a failed call like any other.
func TestMiddlewareThatPanics(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := newSite(t, setup{hooks: []interceptor.Hook{tr.hook("1", nil)}, opts: middleware(func(runtime.HandlerFunc) runtime.HandlerFunc {
		return func(http.ResponseWriter, *http.Request, map[string]string) { panic("hush") }
	})})
	got := s.get(t, "/v1/conformance/7")
	end := tr.end(t)
	var p *interceptor.PanicError
	if got.StatusCode != 500 || strings.Contains(got.body, "hush") || !errors.As(end.err, &p) || !strings.Contains(string(p.Stack), "TestMiddlewareThatPanics") {
		t.Errorf("got %d %s; AfterResponse saw %v, want the panic with the stack it came from", got.StatusCode, got.body, end.err)
	}
}

// A middleware may refuse through the mux's error handler: hooks see it, and an
// error without a status tells the client nothing but its HTTP status.
func TestMiddlewareThatRefuses(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	var mux *runtime.ServeMux
	s := newSite(t, setup{
		hooks: []interceptor.Hook{tr.hook("1", nil)},
		opts: middleware(func(runtime.HandlerFunc) runtime.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
				_, m := runtime.MarshalerForRequest(mux, r)
				runtime.HTTPError(r.Context(), mux, m, w, r, &runtime.HTTPStatusError{HTTPStatus: http.StatusNotFound, Err: errors.New("hush")})
			}
		}),
		register: func(t *testing.T, s *site) { t.Helper(); mux = s.gw.Mux(); overConn(t, s) },
	})
	got := s.get(t, "/v1/conformance/7")
	if got.StatusCode != http.StatusNotFound || strings.Contains(got.body, "hush") || !strings.Contains(got.body, `"code":5`) {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	if end := tr.end(t); end.phases != "BR1 BH1 OE1 RS1 AR1" || end.code != "NotFound" || end.httpStatus != http.StatusNotFound || s.svc.ran.Load() != 0 {
		t.Errorf("hooks saw %s, %d after %s", end.code, end.httpStatus, end.phases)
	}
}

// The health route is a plain route, and its probe a call of its own.
func TestHealthEndpoint(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	var conn lateConn
	s := newSite(t, setup{
		hooks: []interceptor.Hook{tr.hook("1", nil)},
		opts:  []gateway.Option{gateway.MuxOptions(runtime.WithHealthzEndpoint(grpc_health_v1.NewHealthClient(&conn)))},
		register: func(_ *testing.T, s *site) {
			conn.ClientConnInterface = s.grpc.Conn()
			grpc_health_v1.RegisterHealthServer(s.grpc, health.NewServer())
		},
	})
	got := s.get(t, "/healthz")
	if got.StatusCode != 200 || !strings.Contains(got.body, "SERVING") {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	probe, route := <-tr.ended, <-tr.ended
	if probe.method.Name() != "/grpc.health.v1.Health/Check" || route.method.Name() != "GET /healthz" {
		t.Errorf("calls of %s and %s", probe.method.Name(), route.method.Name())
	}
}

// lateConn is a connection that is known only after the options were made.
type lateConn struct{ grpc.ClientConnInterface }

// Bind makes a route that no descriptor shows a call of its RPC.
func TestBind(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := newSite(t, setup{
		hooks: []interceptor.Hook{tr.hook("1", nil)},
		opts:  []gateway.Option{gateway.Bind("GET", "/custom/{id}", pb.ConformanceService_Unary_FullMethodName)},
		register: func(t *testing.T, s *site) {
			t.Helper()
			client := pb.NewConformanceServiceClient(s.grpc.Conn())
			err := s.gw.Mux().HandlePath("GET", "/custom/{id}", func(w http.ResponseWriter, r *http.Request, p map[string]string) {
				in, out := runtime.MarshalerForRequest(s.gw.Mux(), r)
				_ = in
				ctx, err := runtime.AnnotateContext(r.Context(), s.gw.Mux(), r, pb.ConformanceService_Unary_FullMethodName)
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := client.Unary(ctx, &pb.UnaryRequest{Id: p["id"]})
				if err != nil {
					t.Error(err)
					return
				}
				runtime.ForwardResponseMessage(ctx, s.gw.Mux(), out, w, r, resp)
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	})
	if err := s.gw.Check(); err != nil {
		t.Fatal(err)
	}
	got := s.get(t, "/custom/7")
	end := tr.end(t)
	if got.StatusCode != 200 || end.method.Name() != pb.ConformanceService_Unary_FullMethodName || end.route != "/custom/{id}" || end.phases != "BR1 BH1 RX1 TX1 RS1 AR1" {
		t.Errorf("got %d %s; hooks saw %s at %s: %s", got.StatusCode, got.body, end.method.Name(), end.route, end.phases)
	}
}

// The routes of generate_unbound_methods are known without Bind.
func TestUnboundMethodIsKnown(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := newSite(t, setup{
		hooks: []interceptor.Hook{tr.hook("1", nil)},
		register: func(t *testing.T, s *site) {
			t.Helper()
			if err := s.gw.Mux().HandlePath("POST", pb.ConformanceService_ClientStream_FullMethodName, func(http.ResponseWriter, *http.Request, map[string]string) {}); err != nil {
				t.Fatal(err)
			}
		},
	})
	s.post(t, pb.ConformanceService_ClientStream_FullMethodName, "{}")
	if end := tr.end(t); end.method.Name() != pb.ConformanceService_ClientStream_FullMethodName || end.method.Descriptor() == nil {
		t.Errorf("the method is %s", end.method.Name())
	}
}

// What keeps a gateway from serving is told by Check, all at once, and every
// request fails until it is mended.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{opts: []gateway.Option{
		gateway.Bind("GET", "/a/{", pb.ConformanceService_Unary_FullMethodName),
		gateway.Bind("GET", "/b", "/no.such.Service/M"),
	}})
	err := s.gw.Check()
	for _, want := range []string{`Bind("GET", "/a/{"`, "/no.such.Service/M"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check said %v, want something about %s", err, want)
		}
	}
	got := s.get(t, "/v1/conformance/7")
	if got.StatusCode != 500 || s.svc.ran.Load() != 0 || !json.Valid([]byte(got.body)) || strings.Contains(got.body, "Bind") {
		t.Errorf("got %d %s, and the handler ran %d times", got.StatusCode, got.body, s.svc.ran.Load())
	}
}

// checker refuses a method at start-up.
type checker struct{ interceptor.Base }

func (checker) CheckMethod(m *interceptor.Method) error {
	return fmt.Errorf("no policy for %s", m.Name())
}

func TestCheckShowsMethodsToHooks(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{hooks: []interceptor.Hook{checker{}}})
	if err := s.gw.Check(); err == nil || !strings.Contains(err.Error(), "no policy for "+pb.ConformanceService_Unary_FullMethodName) {
		t.Errorf("Check said %v", err)
	}
}

func TestNewRefusesANilStack(t *testing.T) {
	t.Parallel()
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "nil stack") {
			t.Errorf("panic %q", p)
		}
	}()
	gateway.New(nil, nil)
}
