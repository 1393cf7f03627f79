package ecosystem_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/crosscut-go/crosscut/interceptor"
)

// telemetry records what OpenTelemetry's instrumentations make.
type telemetry struct {
	spans  *tracetest.SpanRecorder
	tracer *sdktrace.TracerProvider
	reader *metric.ManualReader
	meter  *metric.MeterProvider
}

func newTelemetry(t *testing.T) *telemetry {
	t.Helper()
	tel := &telemetry{spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	tel.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(tel.spans))
	tel.meter = metric.NewMeterProvider(metric.WithReader(tel.reader))
	return tel
}

// handler is otelgrpc's stats handler for servers.
func (tel *telemetry) handler() stats.Handler {
	return otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(tel.tracer), otelgrpc.WithMeterProvider(tel.meter))
}

// await waits until n spans have ended and n durations have been measured: the
// client has its answer before that.
func (tel *telemetry) await(t *testing.T, n int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for giveUp := time.Now().Add(20 * time.Second); len(tel.spans.Ended()) < n || tel.durations(t) < n; <-tick.C {
		if time.Now().After(giveUp) {
			t.Fatalf("%d spans have ended and %d durations are known, want %d", len(tel.spans.Ended()), tel.durations(t), n)
		}
	}
}

// summary counts the spans by what they say, and the measurements by instrument.
func (tel *telemetry) summary(t *testing.T) map[string]uint64 {
	t.Helper()
	count := map[string]uint64{}
	for _, span := range tel.spans.Ended() {
		var facts []string
		for _, a := range span.Attributes() {
			switch a.Key {
			case "rpc.response.status_code", "http.response.status_code", "http.route":
				facts = append(facts, a.Value.String())
			}
		}
		count[fmt.Sprintf("span %s, %v, %q, %d events", span.Name(), span.Status().Code, facts, len(span.Events()))]++
	}
	if n, ended := len(tel.spans.Started()), len(tel.spans.Ended()); n != ended {
		t.Errorf("%d spans started, %d ended", n, ended)
	}
	for name, n := range tel.measured(t) {
		count["metric "+name] = n
	}
	return count
}

// durations returns how many calls have had their duration measured.
func (tel *telemetry) durations(t *testing.T) (n int) {
	t.Helper()
	for name, count := range tel.measured(t) {
		if strings.HasSuffix(name, ".duration") {
			n += int(count)
		}
	}
	return n
}

// measured counts the measurements by instrument.
func (tel *telemetry) measured(t *testing.T) map[string]uint64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := tel.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	count := map[string]uint64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			count[m.Name] += measurements(m.Data)
		}
	}
	return count
}

func measurements(data metricdata.Aggregation) (n uint64) {
	switch data := data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			n += p.Count
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			n += p.Count
		}
	}
	return n
}

// compare reports what differs between two summaries.
func compare(t *testing.T, got, want map[string]uint64) {
	t.Helper()
	if len(want) == 0 {
		t.Error("there is nothing to compare")
	}
	keys := slices.SortedFunc(maps.Keys(got), cmp.Compare[string])
	for _, key := range slices.AppendSeq(keys, maps.Keys(want)) {
		if got[key] != want[key] {
			t.Errorf("%s: %d, without the stack %d", key, got[key], want[key])
		}
	}
}

// otelgrpc sees on a server with a stack what it sees on one without, and its
// span is in the contexts of hooks and handlers. In process nothing is sent, so
// stats handlers do not run.
func TestOtelgrpc(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			bare, wrapped := newTelemetry(t), newTelemetry(t)
			l := newLedger()
			seen := new(spansSeen)
			s := interopService(l.stack(t, seen.hook()), service{opts: []grpc.ServerOption{grpc.StatsHandler(wrapped.handler())}})
			n := traffic(t, w.start(t, s))
			l.balance(t, n)
			if w.name == "Conn" {
				if n := len(wrapped.spans.Started()); n != 0 {
					t.Errorf("%d spans, want none", n)
				}
				return
			}
			s.opts = []grpc.ServerOption{grpc.StatsHandler(bare.handler())}
			traffic(t, startBare(t, w, s))
			bare.await(t, n)
			wrapped.await(t, n)
			compare(t, wrapped.summary(t), bare.summary(t))
			wantEarly := int64(n)
			if !w.wire {
				wantEarly = 0 // BeforeRequest is when the HTTP server has the request, and gRPC has not
			}
			if early, late := seen.early.Load(), seen.late.Load(); early != wantEarly || late != int64(n) {
				t.Errorf("BeforeRequest saw the span of %d calls and WrapHandler of %d; want %d, %d", early, late, wantEarly, n)
			}
		})
	}
}

// spansSeen counts the calls whose span a hook finds in its context.
type spansSeen struct{ early, late atomic.Int64 }

func (s *spansSeen) hook() interceptor.Hook {
	count := func(ctx context.Context, n *atomic.Int64) {
		if trace.SpanContextFromContext(ctx).IsValid() {
			n.Add(1)
		}
	}
	return interceptor.FromFuncs("spans seen", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) {
			count(ctx, &s.early)
			return ctx, nil
		},
		WrapHandler: func(next interceptor.Handler) interceptor.Handler {
			return func(ctx context.Context, call *interceptor.Call) error {
				count(ctx, &s.late)
				return next(ctx, call)
			}
		},
	})
}

// startBare starts the server without a stack that w is compared with.
func startBare(t *testing.T, w way, s service) grpc.ClientConnInterface {
	t.Helper()
	srv := grpc.NewServer(s.opts...)
	s.register(srv)
	if w.name == "mounted" {
		return dial(t, serveHTTP(t, srv), s.dial...)
	}
	return dial(t, serveGRPC(t, srv), s.dial...)
}
