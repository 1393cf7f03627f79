package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"testing"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// idle are the options of a program that collects nothing but logs.
func (s *sink) idle(opts ...telemetry.Option) []telemetry.Option {
	return append([]telemetry.Option{telemetry.TracerProvider(tracenoop.NewTracerProvider()), telemetry.MeterProvider(metricnoop.NewMeterProvider())}, opts...)
}

// TestWithoutSDK: a server that collects nothing still passes its caller's trace on,
// to the handler and to the log, as far as it trusts the caller.
func TestWithoutSDK(t *testing.T) {
	t.Parallel()
	for name, trust := range map[string]telemetry.Policy{"continue": telemetry.Continue, "ignore": telemetry.Ignore} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := ""
			if trust == telemetry.Continue {
				want = strangeTrace
			}
			s, lines := newSink(t), &bytes.Buffer{}
			inHandler := ""
			hooks := []interceptor.Hook{logging.New(slog.New(slog.NewJSONHandler(lines, nil))), s.hook(trust, s.idle()...)}
			request := interceptortest.Request{Header: strange(), Handler: func(ctx context.Context) error {
				inHandler = ""
				if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
					inHandler = sc.TraceID().String()
				}
				return nil
			}}
			interceptortest.Each(t, hooks, request, func(t *testing.T, _ interceptortest.Result) {
				if inHandler != want {
					t.Errorf("the handler ran in trace %q, want %q", inHandler, want)
				}
				all := jsonLines(t, lines)
				lines.Reset()
				if len(all) != 1 {
					t.Fatalf("%d lines in the log, want one", len(all))
				}
				if logged, _ := all[0]["trace_id"].(string); logged != want {
					t.Errorf("the log has the trace %q, want %q", logged, want)
				}
			})
		})
	}
}

// TestWithoutSDKPanic: the record of a panic is not lost with spans and metrics.
func TestWithoutSDKPanic(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	request := interceptortest.Request{Header: http.Header{"Traceparent": {strangeParent}}, Handler: func(context.Context) error { panic("boom") }}
	interceptortest.Each(t, []interceptor.Hook{s.hook(telemetry.Continue, s.idle()...)}, request, func(t *testing.T, _ interceptortest.Result) {
		records := s.logs.take()
		if len(records) != 1 || s.logs.trace != strangeTrace {
			t.Errorf("%d records of the panic in trace %s, want one in the caller's", len(records), s.logs.trace)
		}
	})
}

// TestWithoutSDKPartly: what one part does not collect another may.
func TestWithoutSDKPartly(t *testing.T) {
	t.Parallel()
	t.Run("metrics alone", func(t *testing.T) {
		t.Parallel()
		s := newSink(t)
		hook := s.hook(telemetry.Continue, telemetry.TracerProvider(tracenoop.NewTracerProvider()))
		interceptortest.Each(t, []interceptor.Hook{hook}, interceptortest.Request{}, func(t *testing.T, r interceptortest.Result) {
			_, metrics := s.take(t)
			if n := len(points(metrics, "http.server.request.duration")) + len(points(metrics, "rpc.server.call.duration")); n != 1 {
				t.Errorf("%d points of %v, want one", n, r.Call.Transport())
			}
		})
	})
	t.Run("the filter is asked", func(t *testing.T) {
		t.Parallel()
		s, asked := newSink(t), 0
		filter := telemetry.Filter(func(*interceptor.Call) telemetry.Signals { asked++; return 0 })
		interceptortest.Each(t, []interceptor.Hook{s.hook(telemetry.Continue, s.idle(filter)...)}, interceptortest.Request{}, func(t *testing.T, _ interceptortest.Result) {
			if asked != 1 {
				t.Errorf("the filter was asked %d times for one call", asked)
			}
			asked = 0
		})
	})
	t.Run("a span around the server", func(t *testing.T) {
		t.Parallel()
		s := newSink(t)
		ctx, span := s.tracers.Tracer("outer").Start(t.Context(), "outer")
		defer span.End()
		call, _ := interceptortest.NewCall(interceptortest.WithContext(ctx), interceptortest.WithHooks(s.hook(telemetry.Continue, s.idle()...)))
		interceptortest.RunPhases(call, func(ctx context.Context) (any, error) {
			if inner := trace.SpanFromContext(ctx); inner.IsRecording() || inner.SpanContext().TraceID() != span.SpanContext().TraceID() {
				t.Errorf("the handler ran in the span %v (recording %v), want one of the same trace that records nothing", inner.SpanContext(), inner.IsRecording())
			}
			return nil, nil
		})
	})
}
