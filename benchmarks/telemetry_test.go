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
		otel := func() stats.Handler {
			return otelgrpc.NewServerHandler(
				otelgrpc.WithTracerProvider(p.tracers), otelgrpc.WithMeterProvider(p.meters), otelgrpc.WithPropagators(p.propagator))
		}
		b.Run("grpc/otelgrpc/"+p.name, func(b *testing.B) { runStats(b, otel(), (*rpcEvents).replay) })
		b.Run("grpc/otelgrpc-with-events/"+p.name, func(b *testing.B) { runStats(b, otel(), (*rpcEvents).report) })
	}
}

// rpcEvents are a unary call as grpc-go tells a stats handler of it.
type rpcEvents struct {
	base context.Context
	md   metadata.MD
	addr net.Addr
	made []stats.RPCStats
}

// report makes the events for each call, as grpc-go does where there is a stats
// handler: a server pays for them as well. grpc-go does a little more.
func (e *rpcEvents) report(h stats.Handler) {
	ctx := h.TagRPC(e.base, &stats.RPCTagInfo{FullMethodName: pb.ConformanceService_Unary_FullMethodName})
	h.HandleRPC(ctx, &stats.InHeader{FullMethod: pb.ConformanceService_Unary_FullMethodName, RemoteAddr: e.addr, LocalAddr: e.addr, Header: e.md})
	begin := &stats.Begin{BeginTime: time.Now()}
	h.HandleRPC(ctx, begin)
	h.HandleRPC(ctx, &stats.InPayload{Length: 3, WireLength: 8, RecvTime: time.Now()})
	h.HandleRPC(ctx, &stats.OutHeader{Header: metadata.MD(nil).Copy()})
	h.HandleRPC(ctx, &stats.OutPayload{Length: 3, WireLength: 8, SentTime: time.Now()})
	h.HandleRPC(ctx, &stats.OutTrailer{Trailer: metadata.MD(nil).Copy()})
	h.HandleRPC(ctx, &stats.End{BeginTime: begin.BeginTime, EndTime: time.Now()})
}

// replay hands out events that were made once, which leaves the stats handler alone.
func (e *rpcEvents) replay(h stats.Handler) {
	if e.made == nil {
		now := time.Now()
		e.made = []stats.RPCStats{
			&stats.InHeader{FullMethod: pb.ConformanceService_Unary_FullMethodName, RemoteAddr: e.addr, LocalAddr: e.addr, Header: e.md},
			&stats.Begin{BeginTime: now}, &stats.InPayload{Length: 3, WireLength: 8, RecvTime: now},
			&stats.OutHeader{}, &stats.OutPayload{Length: 3, WireLength: 8, SentTime: now}, &stats.OutTrailer{},
			&stats.End{BeginTime: now, EndTime: now.Add(time.Microsecond)},
		}
	}
	ctx := h.TagRPC(e.base, &stats.RPCTagInfo{FullMethodName: pb.ConformanceService_Unary_FullMethodName})
	for _, event := range e.made {
		h.HandleRPC(ctx, event)
	}
}

// runStats calls a stats handler around a unary call that does nothing else.
func runStats(b *testing.B, h stats.Handler, call func(*rpcEvents, stats.Handler)) {
	b.Helper()
	e := &rpcEvents{addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}}
	e.base = rig.Incoming(b.Context(), &rig.Transport{Name: pb.ConformanceService_Unary_FullMethodName}, sent...)
	e.md, _ = metadata.FromIncomingContext(e.base)
	measure(b, func() error {
		call(e, h)
		return nil
	})
}
