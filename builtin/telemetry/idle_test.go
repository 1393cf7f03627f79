package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// idle are the options of a program whose tracer and meters are no-ops.
func (s *sink) idle(opts ...telemetry.Option) []telemetry.Option {
	return append([]telemetry.Option{telemetry.TracerProvider(tracenoop.NewTracerProvider()), telemetry.MeterProvider(metricnoop.NewMeterProvider())}, opts...)
}

// TestIdle: a server that collects nothing still passes its caller's trace on,
// to the handler and to the log, as far as it trusts the caller.
func TestIdle(t *testing.T) {
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

// TestIdlePanic: the record of a panic is the one of a server that collects everything.
func TestIdlePanic(t *testing.T) {
	t.Parallel()
	request := interceptortest.Request{Header: http.Header{"Traceparent": {strangeParent}}, Handler: func(context.Context) error { panic("boom") }}
	told := func(opts func(*sink) []telemetry.Option) (all []string) {
		s := newSink(t)
		interceptortest.Each(t, []interceptor.Hook{s.hook(telemetry.Continue, opts(s)...)}, request, func(t *testing.T, r interceptortest.Result) {
			records := s.logs.take()
			if len(records) != 1 || s.logs.trace != strangeTrace {
				t.Fatalf("%d records of the panic in trace %s, want one in the caller's", len(records), s.logs.trace)
			}
			text := r.Call.Method().Name() + ": " + records[0].EventName()
			records[0].WalkAttributes(func(kv attribute.KeyValue) bool {
				if kv.Key != "exception.stacktrace" { // where the panic passed
					text += " " + string(kv.Key) + "=" + kv.Value.String()
				}
				return true
			})
			all = append(all, text)
		})
		return all
	}
	idle, collecting := told(func(s *sink) []telemetry.Option { return s.idle() }), told(func(*sink) []telemetry.Option { return nil })
	if !slices.Equal(idle, collecting) {
		t.Errorf("the records are\n%s\nwant\n%s", strings.Join(idle, "\n"), strings.Join(collecting, "\n"))
	}
}

// TestIdleOutside: what middleware outside of the stack took from the headers is
// trusted no more than the headers.
func TestIdleOutside(t *testing.T) {
	t.Parallel()
	for policy, want := range map[telemetry.Policy]bool{telemetry.Continue: true, telemetry.Restart: false, telemetry.Ignore: false} {
		ctx := outer(w3c.Extract(t.Context(), propagation.HeaderCarrier(strange())), true)
		s := newSink(t)
		call, _ := interceptortest.NewCall(interceptortest.WithContext(ctx), interceptortest.WithHooks(s.hook(policy, s.idle()...)))
		interceptortest.RunPhases(call, func(ctx context.Context) (any, error) {
			if span, bag := trace.SpanContextFromContext(ctx).IsValid(), baggage.FromContext(ctx).Len() > 0; span != want || bag != want {
				t.Errorf("policy %v: the handler has the stranger's span: %v, baggage: %v; want %v", policy, span, bag, want)
			}
			return nil, nil
		})
	}
}

// asked counts what it is asked for.
type asked struct {
	propagation.TextMapPropagator
	times int
}

func (a *asked) Extract(ctx context.Context, from propagation.TextMapCarrier) context.Context {
	a.times++
	return a.TextMapPropagator.Extract(ctx, from)
}

// TestIdleRestart: a link that no span will have is not looked for.
func TestIdleRestart(t *testing.T) {
	t.Parallel()
	for policy, want := range map[telemetry.Policy]int{telemetry.Continue: 1, telemetry.Restart: 0, telemetry.Ignore: 0} {
		s, headers := newSink(t), &asked{TextMapPropagator: w3c}
		call, _ := interceptortest.NewCall(interceptortest.WithHooks(s.hook(policy, s.idle(telemetry.Propagator(headers))...)))
		interceptortest.RunPhases(call, func(context.Context) (any, error) { return nil, nil })
		if headers.times != want {
			t.Errorf("policy %v: headers were read %d times, want %d", policy, headers.times, want)
		}
	}
}

// TestIdleClassifier: hooks further out are told the same of a call that nobody
// collects.
func TestIdleClassifier(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]func(*sink) []telemetry.Option{
		"idle": func(s *sink) []telemetry.Option { return s.idle() }, "collecting": func(*sink) []telemetry.Option { return nil },
	} {
		s, errorType := newSink(t), ""
		outside := interceptor.FromFuncs("outside", interceptor.Funcs{AfterResponse: func(_ context.Context, call *interceptor.Call) {
			errorType, _ = telemetry.DefaultClassifier(call)
		}})
		mux := httpadapter.NewMux(interceptor.MustNew(outside, s.hook(telemetry.Continue, opts(s)...)))
		ctx, leave := context.WithCancel(t.Context())
		mux.HandleFunc("GET /books", func(http.ResponseWriter, *http.Request) {
			leave()
			panic(http.ErrAbortHandler)
		})
		func() {
			defer func() { _ = recover() }() // net/http's way to abort a response
			mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/books", http.NoBody))
		}()
		if errorType != "canceled" {
			t.Errorf("%s: the client had gone, but the error is %q", name, errorType)
		}
	}
}

// TestIdleBesides: of two hooks one may collect what the other does not.
func TestIdleBesides(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"idle outside", "idle inside"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			hooks := []interceptor.Hook{interceptor.As("idle", s.hook(telemetry.Continue, s.idle()...)), interceptor.As("collecting", s.hook(telemetry.Continue))}
			if order == "idle inside" {
				slices.Reverse(hooks)
			}
			request := interceptortest.Request{Header: strange(), Handler: func(ctx context.Context) error {
				telemetry.Add(ctx, attribute.String("shelf", "7"))
				return nil
			}}
			interceptortest.Each(t, hooks, request, func(t *testing.T, _ interceptortest.Result) {
				if span := s.span(t); value(span.Attributes, "shelf") != "7" || span.Parent.TraceID().String() != strangeTrace {
					t.Errorf("the span has %v and the parent %v, want the shelf and the caller's", span.Attributes, span.Parent.TraceID())
				}
			})
		})
	}
}

// TestConformanceIdle holds the hook to the rules where it makes no record.
func TestConformanceIdle(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	interceptortest.Run(t, func() interceptor.Hook { return s.hook(telemetry.Continue, s.idle()...) })
}

// TestIdlePartly: what one part does not collect another may.
func TestIdlePartly(t *testing.T) {
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
	t.Run("traces alone", func(t *testing.T) {
		t.Parallel()
		s := newSink(t)
		hook := s.hook(telemetry.Continue, telemetry.MeterProvider(metricnoop.NewMeterProvider()))
		interceptortest.Each(t, []interceptor.Hook{hook}, interceptortest.Request{}, func(t *testing.T, _ interceptortest.Result) { s.span(t) })
	})
	t.Run("active requests alone", func(t *testing.T) {
		t.Parallel()
		s, reader := newSink(t), sdkmetric.NewManualReader()
		drop := sdkmetric.NewView(sdkmetric.Instrument{Name: "http.server.request.duration"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}})
		meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithView(drop))
		hook := s.hook(telemetry.Continue, s.idle(telemetry.MeterProvider(meters), telemetry.ActiveRequests())...)
		mux := httpadapter.NewMux(interceptor.MustNew(hook))
		mux.HandleFunc("GET /books", func(http.ResponseWriter, *http.Request) {
			var now metricdata.ResourceMetrics
			if err := reader.Collect(t.Context(), &now); err != nil || len(now.ScopeMetrics) != 1 {
				t.Errorf("while a request is answered the metrics are %v, %v; want the one of active requests", now, err)
			}
		})
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/books", http.NoBody))
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
