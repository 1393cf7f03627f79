package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	otellog "go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"
	lognoop "go.opentelemetry.io/otel/log/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// facts are what was reported of one call: by name, such as "span http.route".
type facts map[string]string

// sink receives what a server reports.
type sink struct {
	spans   *tracetest.SpanRecorder
	tracers *sdktrace.TracerProvider
	reader  *sdkmetric.ManualReader
	meters  *sdkmetric.MeterProvider
	logs    *logs
}

func newSink() *sink {
	s := &sink{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader(), logs: &logs{}}
	s.tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans))
	s.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.reader))
	return s
}

// facts returns everything that was reported. The first span to start is that of
// the call itself; others are named by what they are.
func (s *sink) facts(ctx context.Context, seen *handlerFacts) (facts, error) {
	f := facts{}
	ended := map[string]bool{}
	for _, span := range s.spans.Ended() {
		ended[span.SpanContext().SpanID().String()] = true
	}
	started := s.spans.Started()
	for i, span := range started {
		if i == 0 {
			f.addSpan(span)
		} else {
			f.addInner(span, started[0])
		}
		if !ended[span.SpanContext().SpanID().String()] {
			f["spans that never end"] = quote(span.Name())
		}
	}
	var collected metricdata.ResourceMetrics
	if err := s.reader.Collect(ctx, &collected); err != nil {
		return nil, err
	}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			f.addMetric(m)
		}
	}
	for _, name := range s.logs.take() {
		f["log record"] = quote(name)
	}
	if plan := seen.baggage(); plan != "" {
		f["baggage that the handler sees"] = quote(plan)
	}
	return f, nil
}

// addInner tells of a span that was made below that of the call.
func (f facts) addInner(span, outer sdktrace.ReadOnlySpan) {
	name := "span below it, " + strings.ToUpper(span.SpanKind().String())
	f[name] = quote(span.Name())
	if span.SpanContext().TraceID() != outer.SpanContext().TraceID() {
		f[name+", trace"] = "another"
	}
	if span.SpanContext().TraceID().String() == callersTrace {
		f[name+", trace"] = "the forged one"
	}
}

func (f facts) addSpan(span sdktrace.ReadOnlySpan) {
	f["span kind"] = quote(strings.ToUpper(span.SpanKind().String()))
	f["span name"] = quote(span.Name())
	f["span status"] = quote(span.Status().Code.String())
	if text := span.Status().Description; text != "" {
		f["span status description"] = quote(text)
	}
	for _, kv := range span.Attributes() {
		f["span "+string(kv.Key)] = quote(value(kv))
	}
	for _, event := range span.Events() {
		f["span event"] = quote(event.Name)
	}
	for _, link := range span.Links() {
		f["span link"] = "to the caller's span"
		if link.SpanContext.TraceID().String() != callersTrace {
			f["span link"] = "to " + link.SpanContext.TraceID().String()
		}
	}
	if span.SpanContext().TraceID().String() == callersTrace {
		f["span trace"] = "the caller's"
	}
}

// value is the text of an attribute, without what is different in every run.
func value(kv attribute.KeyValue) string {
	text := kv.Value.String()
	switch kv.Key {
	case "network.peer.port":
		return "PORT"
	case "server.port":
		if !strings.HasSuffix(host, ":"+text) {
			return "PORT" // of the socket, which is not what the client asked for
		}
	case "http.response.body.size":
		return "BYTES" // of JSON, whose spaces are different in every build
	}
	return text
}

func (f facts) addMetric(m metricdata.Metrics) {
	var sets []attribute.Set
	switch data := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for i := range data.DataPoints {
			sets = append(sets, data.DataPoints[i].Attributes)
		}
	case metricdata.Histogram[int64]:
		for i := range data.DataPoints {
			sets = append(sets, data.DataPoints[i].Attributes)
		}
	}
	f["metric "+m.Name] = fmt.Sprintf("%d in %s", len(sets), m.Unit)
	for _, set := range sets {
		for _, kv := range set.ToSlice() {
			f["metric "+m.Name+" "+string(kv.Key)] = quote(value(kv))
		}
	}
}

func quote(text string) string { return "`" + text + "`" }

// difference is a fact that one server reports otherwise than the other.
type difference struct{ fact, theirs, ours string }

// names returns the names of all facts in the order in which a reader wants them.
func (c comparison) names() []string {
	names := map[string]bool{}
	for name := range c.theirs {
		names[name] = true
	}
	for name := range c.ours {
		names[name] = true
	}
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return list
}

// rank puts what a span is before its attributes, and metrics behind spans.
func rank(name string) int {
	order := []string{"span kind", "span name", "span status", "span status description", "span trace", "span link", "span event"}
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	for i, prefix := range []string{"span below", "span ", "spans ", "metric ", ""} {
		if strings.HasPrefix(name, prefix) {
			return len(order) + i
		}
	}
	return 0
}

// differences returns the facts that differ. Where a server does not report a
// metric or span at all, that is one difference and not one for each of its
// attributes.
func (c comparison) differences() []difference {
	var all []difference
	for _, name := range c.names() {
		if c.theirs[name] != c.ours[name] && !c.partOfWhole(name) {
			all = append(all, difference{name, c.theirs[name], c.ours[name]})
		}
	}
	return all
}

// partOfWhole tells whether a fact is missing because the metric it belongs to is.
func (c comparison) partOfWhole(name string) bool {
	fields := strings.Fields(name)
	if len(fields) != 3 || fields[0] != "metric" {
		return false
	}
	whole := fields[0] + " " + fields[1]
	return c.theirs[whole] == "" || c.ours[whole] == ""
}

// handlerFacts are what a handler sees.
type handlerFacts struct {
	mu   sync.Mutex
	plan string
}

func (h *handlerFacts) look(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plan = baggage.FromContext(ctx).Member("plan").Value()
}

func (h *handlerFacts) baggage() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.plan
}

// logs keeps the names of log records.
type logs struct {
	embedded.LoggerProvider
	mu    sync.Mutex
	names []string
}

func (l *logs) Logger(string, ...otellog.LoggerOption) otellog.Logger { return &logger{logs: l} }

type logger struct {
	lognoop.Logger
	logs *logs
}

func (l *logger) Enabled(context.Context, otellog.EnabledParameters) bool { return true }

func (l *logger) Emit(_ context.Context, r otellog.Record) {
	l.logs.mu.Lock()
	defer l.logs.mu.Unlock()
	l.logs.names = append(l.logs.names, r.EventName())
}

func (l *logs) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.names
}
