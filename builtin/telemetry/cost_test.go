package telemetry_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/racing"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// registrar keeps what is registered, so that its handler can be called without
// a socket.
type registrar struct {
	desc *grpc.ServiceDesc
	impl any
}

func (r *registrar) RegisterService(desc *grpc.ServiceDesc, impl any) { r.desc, r.impl = desc, impl }

type transport struct{ grpc.ServerTransportStream }

func (transport) Method() string { return pb.ConformanceService_Unary_FullMethodName }

// directRPC returns a function that calls the generated handler behind hooks, as
// grpc-go would for a call with the usual metadata.
func directRPC(tb testing.TB, hooks ...interceptor.Hook) func() {
	tb.Helper()
	to := &registrar{}
	pb.RegisterConformanceServiceServer(grpcadapter.Guard(interceptor.MustNew(hooks...), to), &service{})
	ctx := metadata.NewIncomingContext(tb.Context(), metadata.Pairs(":authority", "books.example", "user-agent", "grpc-go", "content-type", "application/grpc"))
	ctx = peer.NewContext(ctx, &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}})
	ctx = grpc.NewContextWithServerTransportStream(ctx, transport{})
	dec := func(any) error { return nil }
	return func() {
		if _, err := to.desc.Methods[0].Handler(to.impl, ctx, dec, nil); err != nil {
			tb.Fatal(err)
		}
	}
}

type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) WriteHeader(int)             {}
func (w nowhere) Write(p []byte) (int, error) { return len(p), nil }

// directHTTP returns a function that answers a request behind hooks.
func directHTTP(_ testing.TB, hooks ...interceptor.Hook) func() {
	mux := httpadapter.NewMux(interceptor.MustNew(hooks...))
	mux.HandleFunc("GET /books/list", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r := httptest.NewRequest(http.MethodGet, "/books/list", http.NoBody)
	r.Header.Set("User-Agent", "test")
	w := nowhere{http.Header{}}
	return func() { mux.ServeHTTP(w, r) }
}

// providers are the ways of having telemetry that budgets are given for.
func providers(tb testing.TB) map[string][]telemetry.Option {
	tb.Helper()
	opts := func(tracers trace.TracerProvider, meters metric.MeterProvider) []telemetry.Option {
		return []telemetry.Option{telemetry.TracerProvider(tracers), telemetry.MeterProvider(meters), telemetry.Propagator(w3c)}
	}
	sdk := func(sampler sdktrace.Sampler) []telemetry.Option {
		tracers := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSpanProcessor(discard{}))
		meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		tb.Cleanup(func() {
			_ = tracers.Shutdown(context.WithoutCancel(tb.Context()))
			_ = meters.Shutdown(context.WithoutCancel(tb.Context()))
		})
		return opts(tracers, meters)
	}
	return map[string][]telemetry.Option{
		"no-op":   opts(tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider()),
		"never":   sdk(sdktrace.NeverSample()),
		"always":  sdk(sdktrace.AlwaysSample()),
		"dropped": append(sdk(sdktrace.AlwaysSample()), telemetry.Filter(func(*interceptor.Call) telemetry.Signals { return telemetry.Traces | telemetry.Metrics })),
	}
}

// discard is a span processor that costs nothing.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// TestAllocations pins what the hook adds to a call. Most of what "always" takes
// is the SDK's.
func TestAllocations(t *testing.T) { // not parallel: it counts allocations
	if racing.Enabled {
		t.Skip("the race detector allocates as well")
	}
	limits := map[string]struct{ rpc, http float64 }{
		"no-op":   {0, 0},
		"never":   {10, 14},
		"always":  {16, 22},
		"dropped": {3, 3},
	}
	rpc, web := testing.AllocsPerRun(500, directRPC(t)), testing.AllocsPerRun(500, directHTTP(t))
	for name, opts := range providers(t) {
		hook := telemetry.New(telemetry.Continue, opts...)
		if got := testing.AllocsPerRun(500, directRPC(t, hook)) - rpc; got > limits[name].rpc {
			t.Errorf("%s: %v allocations added to a gRPC call, want at most %v", name, got, limits[name].rpc)
		}
		if got := testing.AllocsPerRun(500, directHTTP(t, hook)) - web; got > limits[name].http {
			t.Errorf("%s: %v allocations added to an HTTP request, want at most %v", name, got, limits[name].http)
		}
	}
}

// BenchmarkAdded measures a call without and with the hook.
func BenchmarkAdded(b *testing.B) {
	for transport, direct := range map[string]func(testing.TB, ...interceptor.Hook) func(){"grpc": directRPC, "http": directHTTP} {
		run := func(name string, hooks ...interceptor.Hook) {
			b.Run(transport+"/"+name, func(b *testing.B) {
				call := direct(b, hooks...)
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
			})
		}
		run("without")
		for name, opts := range providers(b) {
			run(name, telemetry.New(telemetry.Continue, opts...))
		}
	}
}
