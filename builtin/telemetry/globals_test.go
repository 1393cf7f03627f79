package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/racing"
)

// TestGlobals sets the global providers after the hook was made and has answered
// a request.
func TestGlobals(t *testing.T) { // not parallel: globals can be set once, and it counts allocations
	if !racing.Enabled {
		hook := telemetry.New(telemetry.Continue)
		rpc := testing.AllocsPerRun(500, directRPC(t, hook)) - testing.AllocsPerRun(500, directRPC(t))
		web := testing.AllocsPerRun(500, directHTTP(t, hook)) - testing.AllocsPerRun(500, directHTTP(t))
		if rpc > 7 || web > 9 {
			t.Errorf("before providers are set %v allocations are added to a gRPC call and %v to an HTTP request, want at most 7 and 9", rpc, web)
		}
	}
	hooks := []interceptor.Hook{telemetry.New(telemetry.Continue)}
	mux := httpadapter.NewMux(interceptor.MustNew(hooks...))
	mux.HandleFunc("GET /books", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	send := func(path string) {
		r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		r.Header = strange()
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	send("/books")

	s := newSink(t)
	otel.SetTracerProvider(s.tracers)
	otel.SetMeterProvider(s.meters)
	otel.SetLoggerProvider(s.logs)
	otel.SetTextMapPropagator(w3c)
	send("/books")
	spans, metrics := s.take(t)
	if len(spans) != 1 || spans[0].SpanContext.TraceID().String() != strangeTrace {
		t.Errorf("spans %v, want one of the caller's trace", spans)
	}
	if p := points(metrics, "http.server.request.duration"); len(p) != 1 || p[0].Count != 1 {
		t.Errorf("points %v, want one", p)
	}
	send("/panic")
	if logs := s.logs.take(); len(logs) != 1 || s.logs.trace != strangeTrace {
		t.Errorf("%d exception records of trace %q, want one of the call's", len(logs), s.logs.trace)
	}
	_, _ = s.take(t)
}
