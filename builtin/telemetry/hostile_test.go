package telemetry_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestInvalidUTF8 checks that nothing a stranger sends makes a span that an
// exporter would have to throw away, with all others of its batch.
func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	const bad = "a\xff\xfeb"
	s := newSink(t)
	hook := s.hook(telemetry.Restart, telemetry.RequestHeaders("X-Tenant"), telemetry.Query(func(*interceptor.Call) string { return "q=" + bad }, nil))
	check := func(t *testing.T) {
		t.Helper()
		span := s.span(t)
		texts := []string{span.Name, span.Status.Description}
		for _, kv := range span.Attributes {
			texts = append(texts, kv.Value.String())
		}
		for _, r := range s.logs.take() {
			r.WalkAttributes(func(kv attribute.KeyValue) bool {
				texts = append(texts, kv.Value.String())
				return true
			})
		}
		for _, text := range texts {
			if !utf8.ValidString(text) {
				t.Errorf("%q is no UTF-8", text)
			}
		}
	}
	for _, call := range []interceptortest.CallOption{interceptortest.WithHTTP("GET"+bad, "/"+bad), interceptortest.WithAuthority(bad)} {
		call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook), call,
			interceptortest.WithHeader("User-Agent", bad), interceptortest.WithHeader("X-Tenant", bad))
		interceptortest.RunPhases(call, func(ctx context.Context) (any, error) {
			telemetry.Add(ctx, attribute.String("own", bad), attribute.StringSlice("list", []string{bad}))
			return nil, status.Error(codes.Internal, bad)
		})
		check(t)
	}
	call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook))
	interceptortest.RunPhases(call, func(context.Context) (any, error) { panic(bad) })
	check(t)
}

// TestPanickingClassifier checks that a bug of the program's loses no span.
func TestPanickingClassifier(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	hook := s.hook(telemetry.Restart, telemetry.ActiveRequests(), telemetry.Classifier(func(*interceptor.Call) (string, bool) { panic("bug") }))
	call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook), interceptortest.WithHTTP(http.MethodGet, "/a"))
	got := interceptortest.RunPhases(call, nil)
	spans, metrics := s.take(t)
	if len(spans) != 1 || len(got.Reports) != 1 || got.Err != nil {
		t.Errorf("%d spans, reports %v, error %v; want one span, one report, and the call untouched", len(spans), got.Reports, got.Err)
	}
	if n := active(metrics); n != 0 {
		t.Errorf("%d requests are being answered when all have been", n)
	}
}

// TestPanicIsLoggedWhateverIsDropped checks that neither a filter nor a sampler
// hides a panic.
func TestPanicIsLoggedWhateverIsDropped(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	hook := s.hook(telemetry.Restart, telemetry.Filter(func(*interceptor.Call) telemetry.Signals { return telemetry.Traces | telemetry.Metrics }))
	call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook))
	interceptortest.RunPhases(call, func(context.Context) (any, error) { panic("boom") })
	if logs := s.logs.take(); len(logs) != 1 {
		t.Errorf("%d exception records, want 1", len(logs))
	}
}

// TestReplacedPanic has a hook answer for a panic: what the client got decides,
// and the panic is on record all the same.
func TestReplacedPanic(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	replace := interceptor.FromFuncs("replace", interceptor.Funcs{OnError: func(context.Context, *interceptor.Call, error) error {
		return interceptor.NewError(codes.NotFound, "no such thing")
	}})
	mux := httpadapter.NewMux(interceptor.MustNew(s.hook(telemetry.Restart), replace).ReportTo(nil))
	mux.HandleFunc("GET /a", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/a", http.NoBody))
	span := s.span(t)
	if value(span.Attributes, "http.response.status_code") != "404" || span.Status.Code.String() != "Unset" || len(s.logs.take()) != 1 {
		t.Errorf("status %v, attributes %v; want a 404 that is no error, and one record", span.Status.Code, span.Attributes)
	}
}

// TestTwoHooks lists the hook twice, to report to two places.
func TestTwoHooks(t *testing.T) {
	t.Parallel()
	first, second := newSink(t), newSink(t)
	hooks := []interceptor.Hook{first.hook(telemetry.Continue), interceptor.As("second", second.hook(telemetry.Continue))}
	request := interceptortest.Request{Header: strange(), Handler: func(ctx context.Context) error {
		telemetry.Add(ctx, attribute.Bool("own", true))
		return nil
	}}
	interceptortest.Each(t, hooks, request, func(t *testing.T, _ interceptortest.Result) {
		outer, inner := first.span(t), second.span(t)
		if inner.Parent.SpanID() != outer.SpanContext.SpanID() || inner.Name != outer.Name {
			t.Errorf("%s has the parent %v, want %s %v", inner.Name, inner.Parent.SpanID(), outer.Name, outer.SpanContext.SpanID())
		}
		if value(outer.Attributes, "own") != "true" || value(inner.Attributes, "own") != "true" {
			t.Error("the handler's attribute is not on both spans")
		}
	})
}

// TestLateHook has the hook join when the method is known: the span then begins
// with its name.
func TestLateHook(t *testing.T) {
	t.Parallel()
	var asked sampler
	s := newSink(t, sdktrace.WithSampler(&asked))
	hooks := []interceptor.Hook{interceptor.When(interceptor.SelectFunc("all", func(*interceptor.Method) bool { return true }), s.hook(telemetry.Continue))}
	interceptortest.Each(t, hooks, interceptortest.Request{}, func(t *testing.T, got interceptortest.Result) {
		last := asked.asked[len(asked.asked)-1]
		if want := map[bool]string{true: "/", false: "POST"}[got.Transport != "http/handler"]; !strings.Contains(last.Name, want) {
			t.Errorf("the span began as %q, want the name of the method", last.Name)
		}
	})
}

// TestNameInHandler looks at the span while the handler runs, as a page of running
// requests does.
func TestNameInHandler(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	var during string
	request := interceptortest.Request{Handler: func(ctx context.Context) error {
		if span, ok := trace.SpanFromContext(ctx).(sdktrace.ReadOnlySpan); ok {
			during = span.Name()
		}
		return nil
	}}
	interceptortest.Each(t, []interceptor.Hook{s.hook(telemetry.Continue)}, request, func(t *testing.T, _ interceptortest.Result) {
		if after := s.span(t).Name; during != after {
			t.Errorf("the span was named %q in the handler and %q after it", during, after)
		}
	})
}

// TestConcurrentAdd adds from many goroutines while the call ends.
func TestConcurrentAdd(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	var running sync.WaitGroup
	call, _ := interceptortest.NewCall(interceptortest.WithHooks(s.hook(telemetry.Restart, telemetry.MetricKeys("n"))))
	interceptortest.RunPhases(call, func(ctx context.Context) (any, error) {
		for i := range 8 {
			running.Go(func() {
				for range 20 {
					telemetry.Add(ctx, attribute.Int("n", i))
				}
			})
		}
		return nil, nil
	})
	running.Wait()
	if span := s.span(t); span.EndTime.IsZero() {
		t.Error("the span has not ended")
	}
}

// TestTLS looks at a request over HTTP/2 with TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	outside, over := ended()
	mux := httpadapter.NewMux(interceptor.MustNew(outside, s.hook(telemetry.Restart)))
	mux.HandleFunc("GET /a", func(http.ResponseWriter, *http.Request) {})
	srv := httptest.NewUnstartedServer(mux)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	resp, err := srv.Client().Get(srv.URL + "/a")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	<-over
	spans, metrics := s.take(t)
	for name, attrs := range map[string][]attribute.KeyValue{
		"span": spans[0].Attributes, "point": points(metrics, "http.server.request.duration")[0].Attributes.ToSlice(),
	} {
		if scheme, version := value(attrs, "url.scheme"), value(attrs, "network.protocol.version"); scheme != "https" || version != "2" {
			t.Errorf("%s: scheme %q, version %q; want https, 2", name, scheme, version)
		}
	}
}
