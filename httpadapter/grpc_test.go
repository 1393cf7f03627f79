package httpadapter_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// grpcLayer stands for a mounted gRPC server: it resolves, answers with trailers,
// and renders refusals trailers-only.
type grpcLayer struct {
	tr     *trace
	stack  *interceptor.Stack
	method *interceptor.Method
}

func newGRPCLayer(tr *trace, stack *interceptor.Stack) *grpcLayer {
	return &grpcLayer{tr, stack, ops.NewMethod("/pkg.Service/Method", nil, 0)}
}

func (l *grpcLayer) ServesGRPC(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

func (l *grpcLayer) ResolvesFor(stack any) bool { return stack == any(l.stack) }

func (l *grpcLayer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, _ := interceptor.CallFrom(r.Context())
	if !l.ServesGRPC(r) {
		http.Error(w, "not gRPC", http.StatusUnsupportedMediaType)
		return
	}
	if !ops.Resolve(call, l.method, "") {
		l.RenderError(w, r, ops.Failed(call))
		return
	}
	l.tr.add("HND")
	_, err := ops.Respond(call, nil, nil)
	w.Header().Set("Content-Type", "application/grpc")
	_, _ = io.WriteString(w, "message")
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", fmt.Sprint(int(interceptor.StatusOf(err).Code())))
}

func (l *grpcLayer) RenderError(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", fmt.Sprint(int(interceptor.StatusOf(err).Code())))
	w.WriteHeader(http.StatusOK)
}

var _ interface {
	httpwire.GRPCServer
	httpwire.Renderer
	httpwire.Resolver
} = (*grpcLayer)(nil)

// TestGRPCUnderAMux: the handler that will be reached makes a call gRPC from its
// entry, so hooks for gRPC alone join and refusals are trailers-only.
func TestGRPCUnderAMux(t *testing.T) {
	t.Parallel()
	builds := map[string]func(s *interceptor.Stack, l http.Handler) http.Handler{
		"mux":  func(s *interceptor.Stack, l http.Handler) http.Handler { return muxWith(s, "/", l) },
		"wrap": func(s *interceptor.Stack, l http.Handler) http.Handler { return httpadapter.Wrap(s, l) },
		"prefix and inner": func(s *interceptor.Stack, l http.Handler) http.Handler {
			return muxWith(s, "/", through{muxWith(s, "/", l), ""})
		},
		"bare mux": func(s *interceptor.Stack, l http.Handler) http.Handler {
			bare := http.NewServeMux()
			bare.Handle("/", l)
			return httpadapter.Wrap(s, bare)
		},
	}
	for name, build := range builds {
		for _, refused := range []string{"", "BeforeRequest", "BeforeHandler"} {
			t.Run(name+"/"+refused, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				second := tr.hook("2", func(f *interceptor.Funcs) {
					switch refused {
					case "BeforeRequest":
						f.BeforeRequest = func(context.Context, *interceptor.Call) (context.Context, error) { return nil, fails }
					case "BeforeHandler":
						f.BeforeHandler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
							return nil, fails
						}
					}
				})
				stack := tr.stack(tr.hook("1", func(f *interceptor.Funcs) {
					f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
						tr.add(fmt.Sprintf("%v %s %q", call.Transport(), call.Path(), call.HTTPMethod()))
						return ctx, call.ResponseTrailer().Set("X-Data-Bin", "\xfe\xff")
					}
				}), interceptor.When(interceptor.On(interceptor.GRPC), second))
				s := serveHTTP2(t, build(stack, newGRPCLayer(tr, stack)))
				r := request(t, s, "POST", "/pkg.Service/Method?q=1", "x")
				r.Header.Set("Content-Type", "application/grpc+proto")
				got := send(t, s, r)
				end := tr.end(t)
				status := got.Header.Get("Grpc-Status") + got.Trailer.Get("Grpc-Status")
				want := map[bool]string{true: "0", false: "7"}[refused == ""]
				if got.StatusCode != 200 || status != want || end.status != 0 {
					t.Errorf("got %d with status %q, AfterResponse saw %d", got.StatusCode, status, end.status)
				}
				if bin := got.Header.Get("X-Data-Bin") + got.Trailer.Get("X-Data-Bin"); bin != "/v8" {
					t.Errorf("binary trailer %q", bin)
				}
				phases := map[string]string{"": "BR2 BH1 BH2 HND RS2 RS1 AR2 AR1", "BeforeRequest": "OE1 RS1 AR1", "BeforeHandler": "BR2 BH1 OE2 OE1 RS2 RS1 AR2 AR1"}
				if refused != "BeforeHandler" { // there the layer answers without Respond
					tr.want(t, `grpc /pkg.Service/Method "" `+phases[refused])
				}
			})
		}
	}
}

// TestNotGRPC: other requests for the same handler are HTTP, and the header alone
// makes no call gRPC.
func TestNotGRPC(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.stack(tr.hook("1", func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			tr.add(call.Transport().String())
			return ctx, nil
		}
	}))
	mux := muxWith(stack, "/pkg.Service/", newGRPCLayer(tr, stack))
	mux.Handle("/plain", tr.handler(nil))
	s := serveHTTP2(t, mux)
	grpcType := func(r *http.Request) *http.Request {
		r.Header.Set("Content-Type", "application/grpc")
		return r
	}
	if got := send(t, s, grpcType(request(t, s, "POST", "/plain", "x"))); got.StatusCode != 200 {
		t.Errorf("plain route: %d", got.StatusCode)
	}
	if got := send(t, s, request(t, s, "POST", "/pkg.Service/Method", "x")); got.StatusCode != 415 {
		t.Errorf("not gRPC: %d", got.StatusCode)
	}
	if got := send(t, s, grpcType(request(t, s, "POST", "/none", "x"))); got.StatusCode != 404 {
		t.Errorf("unmatched: %d", got.StatusCode)
	}
	tr.want(t, "http BH1 HND RS1 AR1 http OE1 RS1 AR1 http OE1 RS1 AR1")
}

// TestGRPCThatTurnsPlain: a hook that makes the request reach something else than
// what the call began for closes it.
func TestGRPCThatTurnsPlain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ path, contentType, changed string }{
		"gRPC to plain": {"/pkg.Service/Method", "application/grpc", "/plain"},
		"plain to gRPC": {"/plain", "application/grpc", "/pkg.Service/Method"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := tr.two(func(f *interceptor.Funcs) {
				f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
					r, _ := httpadapter.RequestFrom(call)
					r.URL.Path = test.changed
					return ctx, nil
				}
			})
			mux := muxWith(stack, "/pkg.Service/", newGRPCLayer(tr, stack))
			mux.Handle("/plain", tr.handler(nil))
			record(mux, "POST", test.path, func(r *http.Request) { r.Header.Set("Content-Type", test.contentType) })
			if end := tr.end(t); strings.Contains(tr.String(), "HND") || end.code != "Internal" {
				t.Errorf("AfterResponse saw %s after %s", end.code, tr)
			}
		})
	}
}
