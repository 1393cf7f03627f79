package cors_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/cors"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
)

const (
	app   = "https://app.example.test"
	local = "http://localhost:3000"
	evil  = "https://evil.test"

	preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
)

// full is a hook with every option.
func full() interceptor.Hook {
	return cors.New(cors.Origins(app), cors.Origins(local, "https://[2001:db8::1]:8443"), cors.Credentials(),
		cors.Methods("GET", "POST"), cors.Methods("PUT"), cors.Headers("Authorization"), cors.Headers("X-Tenant"),
		cors.ExposedHeaders("x-request-id", "ETag"), cors.MaxAge(time.Hour))
}

// send runs a call through the hook and returns the headers of its answer, in one
// line per key.
func send(t *testing.T, hook interceptor.Hook, method string, header http.Header) (interceptortest.Phases, map[string]string) {
	t.Helper()
	opts := []interceptortest.CallOption{interceptortest.WithHTTP(method, "/"), interceptortest.WithHooks(hook)}
	for key, values := range header {
		opts = append(opts, interceptortest.WithHeader(key, values...))
	}
	call, _ := interceptortest.NewCall(opts...)
	got := interceptortest.RunPhases(call, nil)
	lines := map[string]string{}
	for key, values := range got.Header {
		lines[strings.TrimPrefix(key, "Access-Control-")] = strings.Join(values, "|")
	}
	return got, lines
}

func preflight(origin, method string, headers ...string) http.Header {
	h := http.Header{"Origin": {origin}, "Access-Control-Request-Method": {method}}
	if len(headers) > 0 {
		h["Access-Control-Request-Headers"] = headers
	}
	return h
}

func TestPreflights(t *testing.T) {
	t.Parallel()
	refused := map[string]string{"Vary": preflightVary}
	allowed := func(origin, method, headers string) map[string]string {
		want := map[string]string{"Vary": preflightVary, "Allow-Origin": origin, "Allow-Methods": method, "Allow-Credentials": "true", "Max-Age": "3600"}
		if headers != "" {
			want["Allow-Headers"] = headers
		}
		return want
	}
	with := func(key string, values ...string) http.Header {
		h := preflight(app, "PUT")
		h[key] = values
		return h
	}
	tests := []struct {
		name   string
		header http.Header
		want   map[string]string
	}{
		{"allowed", preflight(app, "PUT"), allowed(app, "PUT", "")},
		{"another origin", preflight(local, "GET"), allowed(local, "GET", "")},
		{"with headers", preflight(app, "POST", "authorization,content-type"), allowed(app, "POST", "authorization,content-type")},
		{"split headers", preflight(app, "POST", "authorization", "x-tenant"), allowed(app, "POST", "authorization|x-tenant")},
		{"private network", with("Access-Control-Request-Private-Network", "true"), allowed(app, "PUT", "")},

		{"stranger", preflight(evil, "POST"), refused},
		{"null", preflight("null", "POST"), refused},
		{"empty origin", preflight("", "POST"), refused},
		{"any", preflight("*", "POST"), refused},
		{"other scheme", preflight("http://app.example.test", "POST"), refused},
		{"other port", preflight(app+":8443", "POST"), refused},
		{"usual port", preflight(app+":443", "POST"), refused},
		{"slash at the end", preflight(app+"/", "POST"), refused},
		{"upper case", preflight("https://APP.example.test", "POST"), refused},
		{"subdomain", preflight("https://x.app.example.test", "POST"), refused},
		{"parent domain", preflight("https://example.test", "POST"), refused},
		{"as a prefix", preflight(app+".evil.test", "POST"), refused},
		{"as a suffix", preflight("https://evil-app.example.test", "POST"), refused},
		{"as user information", preflight(app+"@evil.test", "POST"), refused},
		{"blank before", preflight(" "+app, "POST"), refused},
		{"two in one value", preflight(app+", "+evil, "POST"), refused},
		{"two separated by a blank", preflight(app+" "+evil, "POST"), refused},
		{"two values", with("Origin", app, evil), refused},
		{"the same value twice", with("Origin", app, app), refused},
		{"method that is not allowed", preflight(app, "DELETE"), refused},
		{"method in lower case", preflight(app, "put"), refused},
		{"header that is not allowed", preflight(app, "PUT", "authorization,x-evil"), refused},
		{"any header", preflight(app, "PUT", "*"), refused},
		{"many empty headers", preflight(app, "PUT", strings.Repeat(",", 1000)), refused},
		{"a long header", preflight(app, "PUT", strings.Repeat("a", 60000)), refused},
	}
	hook := full()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, headers := send(t, hook, http.MethodOptions, tt.header)
			if got.HTTPStatus != http.StatusNoContent || len(got.Body) > 0 || got.Reached || got.Err != nil {
				t.Errorf("%d %q, reached %v, err %v; want an empty 204 without the handler", got.HTTPStatus, got.Body, got.Reached, got.Err)
			}
			if !maps.Equal(headers, tt.want) {
				t.Errorf("headers %v\nwant    %v", headers, tt.want)
			}
		})
	}
}

func TestOtherCalls(t *testing.T) {
	t.Parallel()
	plain := map[string]string{"Vary": "Origin"}
	named := map[string]string{"Vary": "Origin", "Allow-Origin": app, "Allow-Credentials": "true", "Expose-Headers": "X-Request-Id, Etag"}
	tests := []struct {
		name, method string
		header       http.Header
		want         map[string]string
	}{
		{"no origin", "GET", nil, plain},
		{"allowed", "GET", http.Header{"Origin": {app}}, named},
		{"allowed write", "PUT", http.Header{"Origin": {app}}, named},
		{"stranger", "GET", http.Header{"Origin": {evil}}, plain},
		{"null", "POST", http.Header{"Origin": {"null"}}, plain},
		{"two origins", "GET", http.Header{"Origin": {app, evil}}, plain},
		{"method that is not allowed", "DELETE", http.Header{"Origin": {app}}, plain},
		{"OPTIONS without a requested method", "OPTIONS", http.Header{"Origin": {app}}, named},
		{"OPTIONS without an origin", "OPTIONS", http.Header{"Access-Control-Request-Method": {"PUT"}}, plain},
		{"a requested method on GET", "GET", preflight(app, "PUT"), named},
	}
	hook := full()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, headers := send(t, hook, tt.method, tt.header)
			if !got.Reached || got.Err != nil {
				t.Errorf("reached %v, err %v; want the handler", got.Reached, got.Err)
			}
			if !maps.Equal(headers, tt.want) {
				t.Errorf("headers %v\nwant    %v", headers, tt.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	hook := cors.New(cors.Origins(app))
	for method, ok := range map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": false, "PATCH": false, "DELETE": false} {
		if _, headers := send(t, hook, "OPTIONS", preflight(app, method)); (headers["Allow-Methods"] == method) != ok {
			t.Errorf("%s: headers %v; want allowed %v", method, headers, ok)
		}
	}
	for header, ok := range map[string]bool{"content-type": true, "authorization": false, "accept": false, "x-requested-with": false} {
		if _, headers := send(t, hook, "OPTIONS", preflight(app, "GET", header)); (headers["Allow-Headers"] == header) != ok {
			t.Errorf("%s: headers %v; want allowed %v", header, headers, ok)
		}
	}
	_, headers := send(t, hook, "OPTIONS", preflight(app, "GET"))
	if want := (map[string]string{"Vary": preflightVary, "Allow-Origin": app, "Allow-Methods": "GET"}); !maps.Equal(headers, want) {
		t.Errorf("headers %v; want %v: no credentials and no duration", headers, want)
	}
	_, headers = send(t, cors.New(cors.Origins(app), cors.MaxAge(0)), "OPTIONS", preflight(app, "GET"))
	if headers["Max-Age"] != "0" {
		t.Errorf("headers %v; want Max-Age 0", headers)
	}
}

func TestAnyOrigin(t *testing.T) {
	t.Parallel()
	hook := cors.New(cors.AnyOrigin())
	for _, origin := range []string{app, evil, "null"} {
		_, headers := send(t, hook, "GET", http.Header{"Origin": {origin}})
		if want := (map[string]string{"Vary": "Origin", "Allow-Origin": "*"}); !maps.Equal(headers, want) {
			t.Errorf("%s: headers %v, want %v", origin, headers, want)
		}
		_, headers = send(t, hook, "OPTIONS", preflight(origin, "POST"))
		if want := (map[string]string{"Vary": preflightVary, "Allow-Origin": "*", "Allow-Methods": "POST"}); !maps.Equal(headers, want) {
			t.Errorf("%s: headers %v, want %v", origin, headers, want)
		}
	}
}

// TestHooksCannotAddAnOrigin checks that the hook's headers replace what an outer
// hook has set: two origins would be none to a browser.
func TestHooksCannotAddAnOrigin(t *testing.T) {
	t.Parallel()
	outer := interceptor.FromFuncs("outer", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		return ctx, call.ResponseHeader().Set("Access-Control-Allow-Origin", "*")
	}})
	call, _ := interceptortest.NewCall(interceptortest.WithHTTP("GET", "/"), interceptortest.WithHeader("Origin", app), interceptortest.WithHooks(outer, full()))
	if got := interceptortest.RunPhases(call, nil).Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != app {
		t.Errorf("Access-Control-Allow-Origin %q, want %s alone", got, app)
	}
}

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// wire is an adapter's half of a call that has request headers and accepts others.
type wire struct {
	driver.Transport
	request http.Header
}

func (*wire) Kind() driver.Kind                       { return driver.HTTP }
func (*wire) HTTPMethod() string                      { return http.MethodGet }
func (*wire) HeaderChanged(driver.Header, bool) error { return nil }
func (w *wire) RequestHeader(key string) []string     { return w.request[key] }

// TestAllocations compares the hook with one that sets Vary and does nothing else.
func TestAllocations(t *testing.T) {
	bare := interceptor.FromFuncs("bare", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		return ctx, call.ResponseHeader().SetDefault("Vary", "Origin")
	}})
	run := func(hook interceptor.Hook, w *wire) float64 {
		stack := interceptor.MustNew(hook)
		return testing.AllocsPerRun(1000, func() {
			c := new(interceptor.Call)
			ops.Begin(c, stack, t.Context(), w)
			ops.Request(c)
			ops.End(c, 0)
		})
	}
	for name, tt := range map[string]struct {
		header http.Header
		want   float64
	}{
		"no origin": {nil, 0},
		"stranger":  {http.Header{"Origin": {evil}}, 0},
		"allowed":   {http.Header{"Origin": {app}}, 7},
	} {
		w := &wire{request: tt.header}
		if n := run(full(), w) - run(bare, w); n != tt.want {
			t.Errorf("%s: %v allocations beyond those of Vary, want %v", name, n, tt.want)
		}
	}
}
