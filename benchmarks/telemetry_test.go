package benchmarks_test

import (
	"context"
	"net"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	"github.com/crosscut-go/crosscut/benchmarks/rig"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// providers are what instrumentation reports to.
type providers struct {
	name       string
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
}

// discard is a span processor that costs nothing.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

func eachProviders() []providers {
	w3c := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	return []providers{
		{"no-op", tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider(), w3c},
		{"always", sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{})),
			sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())), w3c},
	}
}

func (p providers) stack() *interceptor.Stack {
	return interceptor.MustNew(telemetry.New(telemetry.Continue,
		telemetry.TracerProvider(p.tracers), telemetry.MeterProvider(p.meters), telemetry.Propagator(p.propagator)))
}

// BenchmarkTelemetry is telemetry alone, beside the instrumentation of OpenTelemetry.
func BenchmarkTelemetry(b *testing.B) {
	const path = "/books/list"
	b.Run("http/bare", func(b *testing.B) { runHTTP(b, contender.BareHTTP(nil, pattern, ok), path) })
	b.Run("grpc/bare", func(b *testing.B) { runDirect(b, rig.NewDirect(nil, nil)) })
	for _, p := range eachProviders() {
		b.Run("http/crosscut/"+p.name, func(b *testing.B) { runHTTP(b, muxBy(p.stack()), path) })
		b.Run("http/otelhttp/"+p.name, func(b *testing.B) {
			h := otelhttp.NewHandler(contender.BareHTTP(nil, pattern, ok), "server",
				otelhttp.WithTracerProvider(p.tracers), otelhttp.WithMeterProvider(p.meters), otelhttp.WithPropagators(p.propagator))
			runHTTP(b, h, path)
		})
		b.Run("grpc/crosscut/"+p.name, func(b *testing.B) { runDirect(b, rig.NewDirect(guardBy(p.stack()), nil)) })
		b.Run("grpc/otelgrpc/"+p.name, func(b *testing.B) {
			runStats(b, otelgrpc.NewServerHandler(
				otelgrpc.WithTracerProvider(p.tracers), otelgrpc.WithMeterProvider(p.meters), otelgrpc.WithPropagators(p.propagator)))
		})
	}
}

// runStats calls a stats handler as grpc-go does around a unary call. The events are
// made once, which flatters the stats handler: grpc-go makes them for each call.
func runStats(b *testing.B, h stats.Handler) {
	b.Helper()
	base := rig.Incoming(b.Context(), &rig.Transport{Name: pb.ConformanceService_Unary_FullMethodName}, sent...)
	md, _ := metadata.FromIncomingContext(base)
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}
	now := time.Now()
	events := []stats.RPCStats{
		&stats.InHeader{FullMethod: pb.ConformanceService_Unary_FullMethodName, RemoteAddr: addr, LocalAddr: addr, Header: md},
		&stats.Begin{BeginTime: now}, &stats.InPayload{Length: 3, WireLength: 8, RecvTime: now},
		&stats.OutHeader{}, &stats.OutPayload{Length: 3, WireLength: 8, SentTime: now}, &stats.OutTrailer{},
	}
	info := &stats.RPCTagInfo{FullMethodName: pb.ConformanceService_Unary_FullMethodName}
	measure(b, func() error {
		ctx := h.TagRPC(base, info)
		for _, event := range events {
			h.HandleRPC(ctx, event)
		}
		h.HandleRPC(ctx, &stats.End{BeginTime: now, EndTime: now.Add(time.Microsecond)})
		return nil
	})
}
