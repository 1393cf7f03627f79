package telemetry_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"
	lognoop "go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
)

// sink is where a test's telemetry goes.
type sink struct {
	spans   *tracetest.InMemoryExporter
	tracers *sdktrace.TracerProvider
	reader  *metric.ManualReader
	meters  *metric.MeterProvider
	logs    *logSink
}

// w3c is the propagator of the tests.
var w3c = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

func newSink(t testing.TB, opts ...sdktrace.TracerProviderOption) *sink {
	t.Helper()
	delta := func(metric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }
	s := &sink{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader(metric.WithTemporalitySelector(delta)), logs: &logSink{}}
	s.tracers = sdktrace.NewTracerProvider(append(opts, sdktrace.WithSyncer(s.spans))...)
	s.meters = metric.NewMeterProvider(metric.WithReader(s.reader))
	t.Cleanup(func() {
		_ = s.tracers.Shutdown(context.WithoutCancel(t.Context()))
		_ = s.meters.Shutdown(context.WithoutCancel(t.Context()))
	})
	return s
}

// hook returns a hook that reports to the sink.
func (s *sink) hook(trust telemetry.Trust, opts ...telemetry.Option) interceptor.Hook {
	own := []telemetry.Option{
		telemetry.TracerProvider(s.tracers), telemetry.MeterProvider(s.meters), telemetry.LoggerProvider(s.logs),
		telemetry.Propagator(w3c),
	}
	return telemetry.New(trust, append(own, opts...)...)
}

// take returns what has been reported since the last time.
func (s *sink) take(t testing.TB) (spans tracetest.SpanStubs, metrics []metricdata.Metrics) {
	t.Helper()
	spans = s.spans.GetSpans()
	s.spans.Reset()
	var rm metricdata.ResourceMetrics
	if err := s.reader.Collect(context.WithoutCancel(t.Context()), &rm); err != nil {
		t.Fatal(err)
	}
	for _, scope := range rm.ScopeMetrics {
		metrics = append(metrics, scope.Metrics...)
	}
	return spans, metrics
}

// span returns the only span there is.
func (s *sink) span(t testing.TB) tracetest.SpanStub {
	t.Helper()
	spans, _ := s.take(t)
	if len(spans) != 1 {
		t.Fatalf("%d spans, want 1: %v", len(spans), names(spans))
	}
	return spans[0]
}

func names(spans tracetest.SpanStubs) (all []string) {
	for i := range spans {
		all = append(all, spans[i].Name)
	}
	return all
}

// value returns an attribute of a span as text, "" where it is missing.
func value(attrs []attribute.KeyValue, key attribute.Key) string {
	found := ""
	for _, kv := range attrs {
		if kv.Key == key {
			found = kv.Value.String()
		}
	}
	return found
}

// points returns the points of the histograms, as their attribute sets.
func points(metrics []metricdata.Metrics, name string) (all []metricdata.HistogramDataPoint[float64]) {
	for _, m := range metrics {
		if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == name {
			all = append(all, h.DataPoints...)
		}
	}
	return all
}

// dump prints what was reported, without what differs from run to run.
func (s *sink) dump(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	spans, metrics := s.take(t)
	for i := range spans {
		dumpSpan(&b, &spans[i])
	}
	slices.SortFunc(metrics, func(x, y metricdata.Metrics) int { return strings.Compare(x.Name, y.Name) })
	for _, m := range metrics {
		dumpMetric(&b, m, spans)
	}
	for _, e := range s.logs.take() {
		fmt.Fprintf(&b, "log %s %s\n", e.EventName(), e.Severity())
		e.WalkAttributes(func(kv attribute.KeyValue) bool {
			if kv.Key == "exception.stacktrace" {
				kv = kv.Key.Bool(strings.Contains(kv.Value.AsString(), "goroutine"))
			}
			fmt.Fprintf(&b, "  %s = %s\n", kv.Key, kv.Value.String())
			return true
		})
	}
	return b.String()
}

func dumpSpan(b *strings.Builder, span *tracetest.SpanStub) {
	fmt.Fprintf(b, "span %s %q\n", strings.ToUpper(span.SpanKind.String()), span.Name)
	fmt.Fprintf(b, "  status %s %q\n", span.Status.Code, span.Status.Description)
	for _, kv := range sorted(span.Attributes) {
		text := kv.Value.String()
		switch kv.Key {
		case "network.peer.port":
			text = "PORT"
		case "user_agent.original":
			text = strings.Split(text, "/")[0]
		}
		fmt.Fprintf(b, "  %s = %s\n", kv.Key, text)
	}
	for _, e := range span.Events {
		fmt.Fprintf(b, "  event %s\n", e.Name)
	}
}

func dumpMetric(b *strings.Builder, m metricdata.Metrics, spans tracetest.SpanStubs) {
	head := "metric " + m.Name + " " + m.Unit
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for i := range data.DataPoints {
			fmt.Fprintf(b, "%s sum %d\n", head, data.DataPoints[i].Value)
			dumpSet(b, data.DataPoints[i].Attributes)
		}
	case metricdata.Histogram[int64]:
		for i := range data.DataPoints {
			fmt.Fprintf(b, "%s count %d\n", head, data.DataPoints[i].Count)
			dumpSet(b, data.DataPoints[i].Attributes)
		}
	case metricdata.Histogram[float64]:
		for i := range data.DataPoints {
			p := &data.DataPoints[i]
			fmt.Fprintf(b, "%s count %d\n", head, p.Count)
			dumpSet(b, p.Attributes)
			dumpLink(b, p, spans)
		}
	}
}

func dumpSet(b *strings.Builder, set attribute.Set) {
	for _, kv := range set.ToSlice() {
		fmt.Fprintf(b, "  %s = %s\n", kv.Key, kv.Value.String())
	}
}

// dumpLink tells where a point and the span of the same call differ.
func dumpLink(b *strings.Builder, p *metricdata.HistogramDataPoint[float64], spans tracetest.SpanStubs) {
	if len(spans) != 1 {
		return
	}
	if took := spans[0].EndTime.Sub(spans[0].StartTime); p.Sum != took.Seconds() {
		fmt.Fprintf(b, "  but its value %v is not the %v of the span\n", p.Sum, took)
	}
	if !exemplifies(p, &spans[0]) {
		b.WriteString("  but no exemplar leads to the span\n")
	}
}

// exemplifies tells whether a point leads to a span.
func exemplifies(p *metricdata.HistogramDataPoint[float64], span *tracetest.SpanStub) bool {
	id := span.SpanContext.SpanID()
	return slices.ContainsFunc(p.Exemplars, func(e metricdata.Exemplar[float64]) bool { return string(e.SpanID) == string(id[:]) })
}

// sorted sorts attributes by key; a key that appears twice stays so.
func sorted(attrs []attribute.KeyValue) []attribute.KeyValue {
	return slices.SortedStableFunc(slices.Values(attrs), func(a, b attribute.KeyValue) int {
		return strings.Compare(string(a.Key), string(b.Key))
	})
}

// logSink keeps log records. The SDK has nothing of the kind without a module
// more.
type logSink struct {
	embedded.LoggerProvider
	mu      sync.Mutex
	records []log.Record
	trace   string // of the last record
}

func (s *logSink) Logger(string, ...log.LoggerOption) log.Logger { return &logSinkLogger{sink: s} }

type logSinkLogger struct {
	lognoop.Logger
	sink *logSink
}

func (l *logSinkLogger) Enabled(context.Context, log.EnabledParameters) bool { return true }

func (l *logSinkLogger) Emit(ctx context.Context, r log.Record) {
	l.sink.mu.Lock()
	defer l.sink.mu.Unlock()
	l.sink.records = append(l.sink.records, r)
	l.sink.trace = trace.SpanContextFromContext(ctx).TraceID().String()
}

func (s *logSink) take() []log.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.records
	s.records = nil
	return taken
}
