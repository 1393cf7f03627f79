package main

import (
	"context"
	"log/slog"
	"sync/atomic"

	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
)

// signals counts what operators are told of calls: of each there is to be one
// record in the log, one span that has ended, and one point of a histogram.
type signals struct {
	records        atomic.Int64
	started, ended atomic.Int64
	reader         *sdkmetric.ManualReader
}

func newSignals() *signals { return &signals{reader: sdkmetric.NewManualReader()} }

// hooks are the hooks that tell operators of calls.
func (s *signals) hooks() []interceptor.Hook {
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans{s}))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.reader))
	return []interceptor.Hook{
		telemetry.New(telemetry.Restart, telemetry.TracerProvider(tracers), telemetry.MeterProvider(meters), telemetry.Propagator(propagation.TraceContext{})),
		logging.New(slog.New(slog.NewJSONHandler(lines{s}, nil))),
	}
}

// spans is a processor that counts spans.
type spans struct{ *signals }

func (s spans) OnStart(context.Context, sdktrace.ReadWriteSpan) { s.started.Add(1) }
func (s spans) OnEnd(sdktrace.ReadOnlySpan)                     { s.ended.Add(1) }
func (spans) Shutdown(context.Context) error                    { return nil }
func (spans) ForceFlush(context.Context) error                  { return nil }

// lines is a writer that counts records: slog writes each at once.
type lines struct{ *signals }

func (l lines) Write(p []byte) (int, error) {
	l.records.Add(1)
	return len(p), nil
}

// counts are the figures after all calls have ended.
type counts struct{ records, started, ended, points int64 }

func (s *signals) counts(ctx context.Context) (counts, error) {
	c := counts{records: s.records.Load(), started: s.started.Load(), ended: s.ended.Load()}
	var data metricdata.ResourceMetrics
	if err := s.reader.Collect(ctx, &data); err != nil {
		return c, err
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			histogram, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				continue
			}
			for _, p := range histogram.DataPoints {
				c.points += int64(p.Count) //nolint:gosec // far from the limits
			}
		}
	}
	return c, nil
}
