package telemetry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// attack is what a stranger may choose of a request.
func attack(i int) *http.Request {
	r := httptest.NewRequest("M"+strconv.Itoa(i), fmt.Sprintf("/%d/x", i), http.NoBody)
	if i%2 == 0 {
		r = httptest.NewRequest(http.MethodGet, fmt.Sprintf("/any/%d?q=%d", i, i), http.NoBody)
	}
	r.Host = fmt.Sprintf("host-%d.example:%d", i, i%65536)
	r.RemoteAddr = fmt.Sprintf("[2001:db8::%x]:%d", i%65536, 1024+i)
	r.Header.Set("User-Agent", fmt.Sprintf("agent/%d", i))
	r.Header.Set("X-Forwarded-Proto", fmt.Sprintf("p%d", i))
	r.Header.Set("Traceparent", fmt.Sprintf("00-%032x-%016x-01", i+1, i+1))
	r.Header.Set("X-Status", strconv.Itoa(200+i%800))
	return r
}

// TestCardinality sends what strangers can think of. The number of series
// depends on what is registered, never on the number of requests.
func TestCardinality(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	stack := interceptor.MustNew(s.hook(telemetry.Restart, telemetry.ActiveRequests(), telemetry.BodySizes()))
	mux := httpadapter.NewMux(stack)
	mux.HandleFunc("/any/{rest...}", func(http.ResponseWriter, *http.Request) {})
	const requests = 4000
	for i := range requests {
		mux.ServeHTTP(httptest.NewRecorder(), attack(i))
	}
	spans, metrics := s.take(t)
	if len(spans) != requests {
		t.Fatalf("%d spans, want %d", len(spans), requests)
	}
	seen := map[string]bool{}
	for i := range spans {
		seen[spans[i].Name] = true
	}
	if len(seen) > 4 {
		t.Errorf("%d different span names", len(seen))
	}
	if p := points(metrics, "http.server.request.duration"); len(p) > 4 {
		t.Errorf("%d series: %v", len(p), p)
	}
}

// TestCardinalityOfRPCs does the same on gRPC, where methods that do not exist
// and codes that handlers made up are all there is to choose.
func TestCardinalityOfRPCs(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	hook := s.hook(telemetry.Restart)
	method := interceptortest.NewMethod("/crosscut.conformance.v1.ConformanceService/Unary")
	const requests = 2000
	for i := range requests {
		call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook), interceptortest.WithMethod(method, ""),
			interceptortest.WithAuthority(fmt.Sprintf("host-%d", i)), interceptortest.WithHeader("User-Agent", strconv.Itoa(i)))
		interceptortest.RunPhases(call, func(context.Context) (any, error) {
			return nil, status.Error(codes.Code(i), "odd")
		})
	}
	_, metrics := s.take(t)
	if p := points(metrics, "rpc.server.call.duration"); len(p) != 18 {
		t.Errorf("%d series, want one for each code and one for all others: %v", len(p), p)
	}
}

// TestOwnErrorTypes has a classifier that returns what it should not.
func TestOwnErrorTypes(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	n := 0
	mux := httpadapter.NewMux(interceptor.MustNew(s.hook(telemetry.Restart, telemetry.Classifier(func(*interceptor.Call) (string, bool) {
		n++
		return "failure " + strconv.Itoa(n), true
	}))))
	for range 1000 {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	}
	_, metrics := s.take(t)
	if p := points(metrics, "http.server.request.duration"); len(p) != 65 {
		t.Errorf("%d series, want 64 error types and _OTHER", len(p))
	}
}

// TestAdd checks on every transport that hooks and handlers reach the span, and
// metrics only by keys that were listed.
func TestAdd(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	adds := interceptor.FromFuncs("adds", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) {
			telemetry.Add(ctx, attribute.String("from.hook", "yes"))
			return ctx, nil
		},
		AfterResponse: func(ctx context.Context, _ *interceptor.Call) {
			telemetry.Add(ctx, attribute.String("from.after", "yes"))
		},
	})
	request := interceptortest.Request{Handler: func(ctx context.Context) error {
		telemetry.Add(ctx, attribute.String("plan", "gold"), attribute.Int("books", 3), attribute.String("error.type", "forged"))
		telemetry.Add(ctx, attribute.String("rpc.method", "forged"), attribute.String("http.request.method", "forged"))
		return nil
	}}
	hooks := []interceptor.Hook{s.hook(telemetry.Restart, telemetry.MetricKeys("plan", "http.request.method", "rpc.method")), adds}
	interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
		spans, metrics := s.take(t)
		for key, want := range map[string]string{"from.hook": "yes", "from.after": "yes", "plan": "gold", "books": "3"} {
			if got := value(spans[0].Attributes, attributeKey(key)); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		p := append(points(metrics, "http.server.request.duration"), points(metrics, "rpc.server.call.duration")...)
		if own := map[bool]attribute.Key{true: "rpc.method", false: "http.request.method"}[got.HTTPStatus == 0]; value(p[0].Attributes.ToSlice(), own) == "forged" {
			t.Errorf("%s of the point is what the handler said", own)
		}
		if len(p) != 1 || value(p[0].Attributes.ToSlice(), "plan") != "gold" || p[0].Attributes.HasValue("books") || p[0].Attributes.HasValue("error.type") {
			t.Errorf("points %v, want one with the plan alone", p)
		}
		telemetry.Add(context.Background(), attribute.String("no", "call"))
	})
}

func TestAddIsBounded(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	call, _ := interceptortest.NewCall(interceptortest.WithHooks(s.hook(telemetry.Restart, telemetry.MetricKeys("id"))))
	var late context.Context
	interceptortest.RunPhases(call, func(ctx context.Context) (any, error) {
		late = ctx
		telemetry.Add(ctx, attribute.KeyValue{}, attribute.StringSlice("id", []string{"a"}), attribute.String("long", string(make([]byte, 5000))))
		for i := range 1000 {
			telemetry.Add(ctx, attribute.Int("n"+strconv.Itoa(i), i))
		}
		return nil, nil
	})
	telemetry.Add(late, attribute.String("late", "yes"))
	spans, metrics := s.take(t)
	attrs := spans[0].Attributes
	if len(attrs) > 64+8 || len(value(attrs, "long")) != 1024 || value(attrs, "late") != "" {
		t.Errorf("%d attributes, a text of %d bytes, late %q", len(attrs), len(value(attrs, "long")), value(attrs, "late"))
	}
	if p := points(metrics, "rpc.server.call.duration"); len(p) != 1 || p[0].Attributes.HasValue("id") {
		t.Errorf("points %v; a list is no label", p)
	}
}

func TestMetricKeysAreBounded(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	hook := s.hook(telemetry.Restart, telemetry.MetricKeys("user"))
	for i := range 500 {
		call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook))
		interceptortest.RunPhases(call, func(ctx context.Context) (any, error) {
			telemetry.Add(ctx, attribute.Int("user", i))
			return nil, nil
		})
	}
	_, metrics := s.take(t)
	if p := points(metrics, "rpc.server.call.duration"); len(p) != 65 {
		t.Errorf("%d series, want 64 users and _OTHER", len(p))
	}
}
