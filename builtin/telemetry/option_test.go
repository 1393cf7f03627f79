package telemetry_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/clientaddr"
)

// one sends a request through a mux with the hooks.
func one(r *http.Request, hooks ...interceptor.Hook) {
	mux := httpadapter.NewMux(interceptor.MustNew(hooks...))
	mux.HandleFunc("/{rest...}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.ServeHTTP(httptest.NewRecorder(), r)
}

func TestHeaderCapture(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	setter := interceptor.FromFuncs("setter", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		return ctx, call.ResponseHeader().Set("X-Version", "7")
	}})
	hook := s.hook(telemetry.Restart, telemetry.RequestHeaders("X-Tenant", "x-tenant"), telemetry.ResponseHeaders("X-Version"))
	header := http.Header{"X-Tenant": {"a", strings.Repeat("b", 3000)}}
	for range 40 {
		header.Add("X-Tenant", "c")
	}
	interceptortest.Each(t, []interceptor.Hook{hook, setter}, interceptortest.Request{Header: header}, func(t *testing.T, got interceptortest.Result) {
		request, response := attributeKey("http.request.header.x-tenant"), attributeKey("http.response.header.x-version")
		if got.HTTPStatus == 0 {
			request, response = "rpc.request.metadata.x-tenant", "rpc.response.metadata.x-version"
		}
		attrs := s.span(t).Attributes
		for _, kv := range attrs {
			if kv.Key == request {
				values := kv.Value.AsStringSlice()
				if len(values) != 16 || values[0] != "a" || len(values[1]) != 1024 || values[2] != "c" {
					t.Errorf("%d values, %q…", len(values), values[0])
				}
			}
		}
		if value(attrs, request) == "" || value(attrs, response) != `["7"]` {
			t.Errorf("%s is %q, %s is %q", request, value(attrs, request), response, value(attrs, response))
		}
	})
}

// TestMisuse checks that what cannot work is refused when the hook is made, by a
// text that says what to do.
func TestMisuse(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"Authorization":       func() { telemetry.RequestHeaders("Authorization") },
		"Proxy-Authorization": func() { telemetry.RequestHeaders("proxy-authorization") },
		"Cookie":              func() { telemetry.RequestHeaders("X-Fine", "COOKIE") },
		"Set-Cookie":          func() { telemetry.ResponseHeaders("Set-Cookie") },
		"X-Api-Key":           func() { telemetry.RequestHeaders("x-api-key") },
		"X_API_KEY":           func() { telemetry.RequestHeaders("X_API_KEY") },
		"X-Auth-Token":        func() { telemetry.RequestHeaders("X-Auth-Token") },
		"X-Amz-Security-Token": func() {
			telemetry.RequestHeaders("X-Amz-Security-Token")
		},
		"X-Forwarded-Client-Cert": func() { telemetry.RequestHeaders("X-Forwarded-Client-Cert") },
		"binary":                  func() { telemetry.RequestHeaders("trace-bin") },
		"not a header":            func() { telemetry.RequestHeaders("two words") },
		"empty header":            func() { telemetry.ResponseHeaders("") },
		"no buckets":              func() { telemetry.Buckets() },
		"buckets out of order":    func() { telemetry.Buckets(2, 1) },
		"no methods":              func() { telemetry.KnownMethods() },
		"empty method":            func() { telemetry.KnownMethods("GET", "") },
		"empty key":               func() { telemetry.New(telemetry.Ignore, telemetry.MetricKeys("")) },
		"query":                   func() { telemetry.Query(nil, nil) },
		"proxied":                 func() { telemetry.ProxiedMethods("Method") },
		"probe":                   func() { telemetry.Probes("healthz") },
		"log handler":             func() { telemetry.LogHandler(nil) },
	} {
		if text := panicText(f); !strings.HasPrefix(text, "telemetry.") {
			t.Errorf("%s: panicked with %q, want a text of this package", name, text)
		}
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	query := func(call *interceptor.Call) string {
		r, ok := httpadapter.RequestFrom(call)
		if !ok {
			return ""
		}
		return r.URL.RawQuery
	}
	for _, tt := range []struct {
		name        string
		target      string
		opts        []telemetry.Option
		path, query string
	}{
		{"by default", "/reset/token?q=1", nil, "/reset/token", ""},
		{"rewritten", "/reset/token", []telemetry.Option{telemetry.Path(func(string) string { return "/reset/…" })}, "/reset/…", ""},
		{"query", "/a?q=1&sig=abc&Sig=kept&flag&X-Amz-Signature=x", []telemetry.Option{telemetry.Query(query, nil)}, "/a", "q=1&sig=REDACTED&Sig=kept&flag&X-Amz-Signature=REDACTED"},
		{"query with an escaped key", "/a?s%69g=abc&%zz=1", []telemetry.Option{telemetry.Query(query, nil)}, "/a", "s%69g=REDACTED&%zz=1"},
		{"query without values", "/a?q=1&sig=abc", []telemetry.Option{telemetry.Query(query, func(string) bool { return true })}, "/a", "q=REDACTED&sig=REDACTED"},
		{"query of the caller's choice", "/a?q=1&sig=abc", []telemetry.Option{telemetry.Query(query, func(key string) bool { return key == "q" })}, "/a", "q=REDACTED&sig=abc"},
		{"no query", "/a", []telemetry.Option{telemetry.Query(query, nil)}, "/a", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			one(httptest.NewRequest(http.MethodGet, tt.target, http.NoBody), s.hook(telemetry.Restart, tt.opts...))
			span := s.span(t)
			if path, query := value(span.Attributes, "url.path"), value(span.Attributes, "url.query"); path != tt.path || query != tt.query {
				t.Errorf("path %q, query %q; want %q, %q", path, query, tt.path, tt.query)
			}
			if span.Name != "GET /{rest...}" {
				t.Errorf("the span is named %q, want the route", span.Name)
			}
		})
	}
}

func TestKnownMethods(t *testing.T) {
	s := newSink(t)
	for _, tt := range []struct {
		name, env, method, want string
		opts                    []telemetry.Option
	}{
		{name: "default", method: "QUERY", want: "QUERY"},
		{name: "unknown", method: "BREW", want: "_OTHER"},
		{name: "environment", env: " GET , BREW ", method: "BREW", want: "BREW"},
		{name: "environment is the full list", env: "BREW", method: "GET", want: "_OTHER"},
		{name: "option goes before the environment", env: "GET", method: "BREW", want: "BREW", opts: []telemetry.Option{telemetry.KnownMethods("BREW")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", tt.env)
			one(httptest.NewRequest(tt.method, "/a", http.NoBody), s.hook(telemetry.Restart, tt.opts...))
			if got := value(s.span(t).Attributes, "http.request.method"); got != tt.want {
				t.Errorf("method %q, want %q", got, tt.want)
			}
		})
	}
}

// TestForwarded checks that what proxies say counts only where the program says
// so.
func TestForwarded(t *testing.T) {
	t.Parallel()
	realIP := interceptor.FromFuncs("realip", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		clientaddr.Key.Set(call, netip.MustParseAddr("203.0.113.9"))
		return ctx, nil
	}})
	origin := telemetry.Forwarded(func(call *interceptor.Call) telemetry.Origin {
		h := call.RequestHeader()
		return telemetry.Origin{Client: h.Get("X-Forwarded-For"), Host: h.Get("X-Forwarded-Host"), Scheme: h.Get("X-Forwarded-Proto")}
	})
	for _, tt := range []struct {
		name                          string
		opts                          []telemetry.Option
		outer                         []interceptor.Hook
		proto                         string
		client, address, port, scheme string
	}{
		{"by default", nil, nil, "https", "192.0.2.1", "example.com", "80", "http"},
		{"trusted", []telemetry.Option{origin}, nil, "https", "198.51.100.7", "shop.example", "443", "https"},
		{"trusted, no scheme", []telemetry.Option{origin}, nil, "gopher", "198.51.100.7", "shop.example", "80", "http"},
		{"realip", nil, []interceptor.Hook{realIP}, "https", "203.0.113.9", "example.com", "80", "http"},
		{"no addresses", []telemetry.Option{telemetry.Addresses(false)}, []interceptor.Hook{realIP}, "", "", "example.com", "80", "http"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			r := httptest.NewRequest(http.MethodGet, "/a", http.NoBody)
			r.Header = http.Header{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Host": {"shop.example"}, "X-Forwarded-Proto": {tt.proto}}
			one(r, append(tt.outer, s.hook(telemetry.Restart, tt.opts...))...)
			spans, metrics := s.take(t)
			attrs := spans[0].Attributes
			for key, want := range map[string]string{
				"client.address": tt.client, "server.address": tt.address, "server.port": tt.port, "url.scheme": tt.scheme,
			} {
				if got := value(attrs, attributeKey(key)); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
			if got := value(points(metrics, "http.server.request.duration")[0].Attributes.ToSlice(), "url.scheme"); got != tt.scheme {
				t.Errorf("scheme %q on the point, want %q", got, tt.scheme)
			}
		})
	}
}

func TestServerAddress(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	hook, rpc := s.hook(telemetry.Restart), interceptortest.NewMethod("/books.v1.Shop/GetBook")
	for authority, want := range map[string][2]string{
		"books.example":      {"books.example", "80"},
		"books.example:8443": {"books.example", "8443"},
		"[2001:db8::1]:50":   {"2001:db8::1", "50"},
		"[2001:db8::1]":      {"2001:db8::1", "80"},
		"books.example:":     {"books.example:", "80"},
		"books:99999":        {"books:99999", "80"},
		"":                   {"", ""},
	} {
		// Of a registered method the attributes are kept for the next call.
		for _, m := range []*interceptor.Method{nil, rpc, rpc} {
			call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook), interceptortest.WithAuthority(authority), interceptortest.WithMethod(m, ""))
			interceptortest.RunPhases(call, nil)
			attrs := s.span(t).Attributes
			if got := [2]string{value(attrs, "server.address"), value(attrs, "server.port")}; got != want {
				t.Errorf("%q, method %q: address and port %q, want %q", authority, m.Name(), got, want)
			}
		}
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	one(httptest.NewRequest(http.MethodGet, "/a", http.NoBody), s.hook(telemetry.Restart, telemetry.Buckets(1, 2)))
	_, metrics := s.take(t)
	if got := points(metrics, "http.server.request.duration")[0].Bounds; len(got) != 2 || got[0] != 1 || got[1] != 2 {
		t.Errorf("boundaries %v, want 1 and 2", got)
	}
}

// TestActiveRequests looks at the metric while a request is answered and after.
func TestActiveRequests(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	mux := httpadapter.NewMux(interceptor.MustNew(s.hook(telemetry.Restart, telemetry.ActiveRequests())))
	change := func() int64 {
		_, metrics := s.take(t)
		return active(metrics)
	}
	during := int64(0)
	mux.HandleFunc("GET /a", func(http.ResponseWriter, *http.Request) { during = change() })
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/a", http.NoBody))
	if change := change(); during != 1 || change != -1 {
		t.Errorf("%d requests while one was answered, and %d more after it; want 1 and -1", during, change)
	}
}

// active adds up the points of http.server.active_requests.
func active(metrics []metricdata.Metrics) (n int64) {
	for _, m := range metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
			for _, p := range sum.DataPoints {
				n += p.Value
			}
		}
	}
	return n
}

// TestFilter checks that a signal is dropped, and the caller's trace not lost.
func TestFilter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		drop    telemetry.Signals
		spans   int
		metrics int
	}{
		{"nothing", 0, 1, 1},
		{"traces", telemetry.Traces, 0, 1},
		{"metrics", telemetry.Metrics, 1, 0},
		{"both", telemetry.Traces | telemetry.Metrics, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			hook := s.hook(telemetry.Continue, telemetry.Filter(func(*interceptor.Call) telemetry.Signals { return tt.drop }))
			var carried trace.SpanContext
			request := interceptortest.Request{Header: strange(), Handler: func(ctx context.Context) error {
				carried = trace.SpanContextFromContext(ctx)
				return nil
			}}
			interceptortest.Each(t, []interceptor.Hook{hook}, request, func(t *testing.T, _ interceptortest.Result) {
				spans, metrics := s.take(t)
				n := len(points(metrics, "http.server.request.duration")) + len(points(metrics, "rpc.server.call.duration"))
				if len(spans) != tt.spans || n != tt.metrics {
					t.Errorf("%d spans and %d points, want %d and %d", len(spans), n, tt.spans, tt.metrics)
				}
				if carried.TraceID().String() != strangeTrace || !carried.IsSampled() {
					t.Errorf("the handler is in trace %v, want its caller's", carried.TraceID())
				}
			})
		})
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	drop := telemetry.Probes("/healthz", "/debug/")
	const both = telemetry.Traces | telemetry.Metrics
	for _, tt := range []struct {
		name string
		opt  interceptortest.CallOption
		want telemetry.Signals
	}{
		{"exact path", interceptortest.WithHTTP("GET", "/healthz"), both},
		{"below it", interceptortest.WithHTTP("GET", "/healthz/x"), 0},
		{"prefix", interceptortest.WithHTTP("GET", "/debug/vars"), both},
		{"another path", interceptortest.WithHTTP("GET", "/books"), 0},
		{"gRPC's name over HTTP", interceptortest.WithHTTP("GET", "/grpc.health.v1.Health/Check"), 0},
		{"health", interceptortest.WithMethod(interceptortest.NewMethod("/grpc.health.v1.Health/Check"), ""), both},
		{"reflection", interceptortest.WithMethod(interceptortest.NewMethod("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), ""), both},
		{"a path's name over gRPC", interceptortest.WithMethod(interceptortest.NewMethod("/debug/vars"), ""), 0},
	} {
		call, _ := interceptortest.NewCall(tt.opt)
		if got := drop(call); got != tt.want {
			t.Errorf("%s: drops %b, want %b", tt.name, got, tt.want)
		}
	}
}

// sampler keeps what it was asked.
type sampler struct{ asked []sdktrace.SamplingParameters }

func (s *sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	s.asked = append(s.asked, p)
	return sdktrace.SamplingResult{Decision: sdktrace.Drop}
}

func (s *sampler) Description() string { return "keeps what it was asked" }

// TestSampler checks that samplers are told all that is known at the start, and
// that calls which are not sampled are counted all the same.
func TestSampler(t *testing.T) {
	t.Parallel()
	var asked sampler
	s := newSink(t, sdktrace.WithSampler(&asked))
	request := interceptortest.Request{Authority: "books.example", Header: http.Header{"X-Tenant": {"acme"}}}
	interceptortest.Each(t, []interceptor.Hook{s.hook(telemetry.Restart, telemetry.RequestHeaders("X-Tenant"))}, request, func(t *testing.T, got interceptortest.Result) {
		p := asked.asked[len(asked.asked)-1]
		want := []string{"rpc.system.name", "rpc.method", "server.address", "server.port", "rpc.request.metadata.x-tenant"}
		if got.HTTPStatus != 0 {
			want = []string{
				"http.request.method", "url.path", "url.scheme", "server.address", "server.port", "client.address",
				"user_agent.original", "http.request.header.x-tenant",
			}
		}
		if strings.HasPrefix(got.Transport, "in-process") {
			want = want[:3]
		}
		for _, key := range want {
			if value(p.Attributes, attributeKey(key)) == "" {
				t.Errorf("the sampler was not told %s: %v", key, p.Attributes)
			}
		}
		if got.HTTPStatus == 0 && !strings.Contains(p.Name, "/") {
			t.Errorf("the sampler was told the name %q, want the method's", p.Name)
		}
		spans, metrics := s.take(t)
		counted := append(points(metrics, "http.server.request.duration"), points(metrics, "rpc.server.call.duration")...)
		if len(spans) != 0 || len(counted) != 1 {
			t.Fatalf("%d spans and %d points, want 0 and 1", len(spans), len(counted))
		}
		attrs := counted[0].Attributes.ToSlice()
		if value(attrs, "http.route")+value(attrs, "rpc.method") == "" && got.Transport != "http/handler" {
			t.Errorf("the point of a call that was not sampled does not tell what ran: %v", attrs)
		}
	})
}
