package secureheaders_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/secureheaders"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// plain are the headers without options over plain http.
var plain = map[string]string{
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "strict-origin-when-cross-origin",
	"X-Frame-Options":              "DENY",
	"Content-Security-Policy":      "frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
}

const hsts = "Strict-Transport-Security"

// but returns plain with some headers changed; "" is none.
func but(changes map[string]string) map[string]string {
	want := maps.Clone(plain)
	maps.Copy(want, changes)
	maps.DeleteFunc(want, func(_, v string) bool { return v == "" })
	return want
}

// get answers a call and returns its headers.
func get(t *testing.T, secure bool, opts ...secureheaders.Option) http.Header {
	t.Helper()
	call := []interceptortest.CallOption{interceptortest.WithHTTP(http.MethodGet, "/"), interceptortest.WithHooks(secureheaders.New(opts...)),
		interceptortest.WithHeader("X-Forwarded-Proto", "https"), interceptortest.WithHeader("Forwarded", "proto=https")}
	if secure {
		call = append(call, interceptortest.WithPeer(interceptor.Peer{TLS: &tls.ConnectionState{}}))
	}
	c, _ := interceptortest.NewCall(call...)
	got := interceptortest.RunPhases(c, nil)
	if got.Err != nil || !got.Reached {
		t.Fatalf("err %v, reached %v", got.Err, got.Reached)
	}
	return got.Header
}

func same(header http.Header, want map[string]string) bool {
	got := map[string]string{}
	for key, values := range header {
		got[key] = strings.Join(values, "|")
	}
	return maps.Equal(got, want)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	const policy = `default-src 'self' https://cdn.example.com; img-src *; script-src 'nonce-x' 'sha256-YWJj='; upgrade-insecure-requests;`
	const permissions = `camera=(), geolocation=(self "https://maps.example.com"), fullscreen=*, usb=self`
	tests := []struct {
		name   string
		secure bool
		opts   []secureheaders.Option
		want   map[string]string
	}{
		{"plain http, whatever a client says", false, nil, plain},
		{"https", true, nil, but(map[string]string{hsts: "max-age=31536000"})},
		{"behind a proxy", false, []secureheaders.Option{secureheaders.BehindTLSProxy()}, but(map[string]string{hsts: "max-age=31536000"})},
		{"a duration", true, []secureheaders.Option{secureheaders.HSTS(time.Hour)}, but(map[string]string{hsts: "max-age=3600"})},
		{"forget", true, []secureheaders.Option{secureheaders.HSTS(0)}, but(map[string]string{hsts: "max-age=0"})},
		{"subdomains", true, []secureheaders.Option{secureheaders.HSTSIncludeSubDomains()}, but(map[string]string{hsts: "max-age=31536000; includeSubDomains"})},
		{"preload", true, []secureheaders.Option{secureheaders.HSTSIncludeSubDomains(), secureheaders.HSTSPreload()}, but(map[string]string{hsts: "max-age=31536000; includeSubDomains; preload"})},
		{"no HSTS", true, []secureheaders.Option{secureheaders.NoHSTS()}, plain},
		{"HSTS after all", true, []secureheaders.Option{secureheaders.NoHSTS(), secureheaders.HSTS(time.Second)}, but(map[string]string{hsts: "max-age=1"})},
		{"other values", false, []secureheaders.Option{
			secureheaders.ReferrerPolicy("no-referrer"), secureheaders.FrameOptions("SAMEORIGIN"), secureheaders.ContentSecurityPolicy(policy),
			secureheaders.OpenerPolicy("unsafe-none"), secureheaders.ResourcePolicy("cross-origin"), secureheaders.PermissionsPolicy(permissions),
		}, but(map[string]string{
			"Referrer-Policy": "no-referrer", "X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": policy,
			"Cross-Origin-Opener-Policy": "unsafe-none", "Cross-Origin-Resource-Policy": "cross-origin", "Permissions-Policy": permissions,
		})},
		{"left out", false, []secureheaders.Option{
			secureheaders.ReferrerPolicy(""), secureheaders.FrameOptions(""), secureheaders.ContentSecurityPolicy(""),
			secureheaders.OpenerPolicy(""), secureheaders.ResourcePolicy(""), secureheaders.PermissionsPolicy(""),
		}, map[string]string{"X-Content-Type-Options": "nosniff"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := get(t, tt.secure, tt.opts...); !same(got, tt.want) {
				t.Errorf("headers %v\nwant    %v", got, tt.want)
			}
		})
	}
}

// TestMisuse lists what browsers would ignore in silence.
func TestMisuse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, advice string
		make         func()
	}{
		{"negative duration", "HSTS(-1s)", func() { secureheaders.HSTS(-time.Second) }},
		{"part of a second", "whole seconds", func() { secureheaders.HSTS(1500 * time.Millisecond) }},
		{"preload without subdomains", "HSTSIncludeSubDomains", func() { secureheaders.New(secureheaders.HSTSPreload()) }},
		{"preload for a day", "at least a year", func() {
			secureheaders.New(secureheaders.HSTSPreload(), secureheaders.HSTSIncludeSubDomains(), secureheaders.HSTS(24*time.Hour))
		}},
		{"no HSTS with subdomains", "keep the one", func() { secureheaders.New(secureheaders.NoHSTS(), secureheaders.HSTSIncludeSubDomains()) }},
		{"no HSTS behind a proxy", "keep the one", func() { secureheaders.New(secureheaders.NoHSTS(), secureheaders.BehindTLSProxy()) }},
		{"unknown referrer policy", "use one of no-referrer,", func() { secureheaders.ReferrerPolicy("never") }},
		{"frame options in lower case", "use one of DENY", func() { secureheaders.FrameOptions("deny") }},
		{"ALLOW-FROM", "use one of DENY", func() { secureheaders.FrameOptions("ALLOW-FROM https://a.example.com") }},
		{"unknown opener policy", "use one of same-origin,", func() { secureheaders.OpenerPolicy("same-site") }},
		{"unknown resource policy", "use one of same-origin,", func() { secureheaders.ResourcePolicy("none") }},
		{"policy of blanks", "no directive", func() { secureheaders.ContentSecurityPolicy(" ; ") }},
		{"directive with a colon", "not the name", func() { secureheaders.ContentSecurityPolicy("default-src: 'self'") }},
		{"directive twice", "given twice", func() { secureheaders.ContentSecurityPolicy("img-src a.test; IMG-SRC b.test") }},
		{"keyword without quotes", "'self', in single quotes", func() { secureheaders.ContentSecurityPolicy("default-src self") }},
		{"keyword in double quotes", "'none', in single quotes", func() { secureheaders.ContentSecurityPolicy(`default-src "none"`) }},
		{"two policies", "','", func() { secureheaders.ContentSecurityPolicy("default-src 'self', img-src a.test") }},
		{"header injection", "'\\x00'", func() { secureheaders.ContentSecurityPolicy("default-src a\x00b") }},
		{"line break", "not the name", func() { secureheaders.ContentSecurityPolicy("default-src a;\x01") }},
		{"old syntax", "write it like camera=()", func() { secureheaders.PermissionsPolicy("camera 'none'") }},
		{"feature in upper case", "write it like camera=()", func() { secureheaders.PermissionsPolicy("Camera=()") }},
		{"feature twice", "given twice", func() { secureheaders.PermissionsPolicy("camera=(), camera=self") }},
		{"none without brackets", "write it like ()", func() { secureheaders.PermissionsPolicy("camera=none") }},
		{"single quotes", "double quotes", func() { secureheaders.PermissionsPolicy("camera=('self')") }},
		{"origin without a scheme", "double quotes", func() { secureheaders.PermissionsPolicy(`camera=("a.test")`) }},
		{"bracket not closed", "write it like ()", func() { secureheaders.PermissionsPolicy("camera=(self") }},
		{"control character", "double quotes", func() { secureheaders.PermissionsPolicy("camera=(\"https://a\x01\")") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "secureheaders.") || !strings.Contains(text, tt.advice) {
					t.Errorf("panic %q; want one that says %q", text, tt.advice)
				}
			}()
			tt.make()
		})
	}
}

// TestConformance holds the hook to the rules that every hook has to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return secureheaders.New(secureheaders.BehindTLSProxy()) })
}

// TestEveryAnswerOverHTTP checks successes, refusals of inner hooks and failures
// of handlers on every transport; gRPC has none of the headers.
func TestEveryAnswerOverHTTP(t *testing.T) {
	t.Parallel()
	refuse := interceptor.FromFuncs("refuse", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		if call.RequestHeader().Get("X-Refuse") != "" {
			return nil, context.Canceled
		}
		return ctx, nil
	}})
	hooks := []interceptor.Hook{secureheaders.New(), refuse}
	for name, request := range map[string]interceptortest.Request{
		"success": {},
		"refusal": {Header: http.Header{"X-Refuse": {"1"}}},
		"failure": {Handler: func(context.Context) error { return context.DeadlineExceeded }},
		"panic":   {Handler: func(context.Context) error { panic("boom") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
				for key, value := range plain {
					if got.HTTPStatus == 0 {
						value = ""
					}
					if found := strings.Join(got.Header.Values(key), "|"); found != value {
						t.Errorf("%d with %s: %q, want %q", got.HTTPStatus, key, found, value)
					}
				}
			})
		})
	}
}

// TestHandlersAndHooksWin lets a handler and a hook set headers of their own.
func TestHandlersAndHooksWin(t *testing.T) {
	t.Parallel()
	own := interceptor.FromFuncs("own", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		if call.Transport() != interceptor.HTTP {
			return ctx, nil
		}
		return ctx, call.ResponseHeader().Set("Referrer-Policy", "origin")
	}})
	request := interceptortest.Request{ResponseHeader: http.Header{"X-Frame-Options": {"SAMEORIGIN"}}}
	for name, hooks := range map[string][]interceptor.Hook{"inner": {secureheaders.New(), own}, "outer": {own, secureheaders.New()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
				if !strings.HasPrefix(got.Transport, "http/") {
					return // over gRPC a handler has metadata
				}
				referrer, frame := got.Header.Values("Referrer-Policy"), got.Header.Values("X-Frame-Options")
				if len(referrer) != 1 || referrer[0] != "origin" || len(frame) != 1 || frame[0] != "SAMEORIGIN" {
					t.Errorf("Referrer-Policy %q, X-Frame-Options %q; want what was set, once", referrer, frame)
				}
			})
		})
	}
}

// TestAnswersOfTheMux checks what no handler answers, over TLS.
func TestAnswersOfTheMux(t *testing.T) {
	t.Parallel()
	mux := httpadapter.NewMux(interceptor.MustNew(secureheaders.New()))
	mux.HandleFunc("GET /folder/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/folder/", http.StatusFound) })
	for _, tt := range []struct {
		method, path string
		status       int
	}{{"GET", "/none", 404}, {"POST", "/folder/", 405}, {"GET", "/folder", 307}, {"GET", "/elsewhere", 302}, {"GET", "/folder/", 200}} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(tt.method, "https://shop.example.com"+tt.path, nil))
		if w.Code != tt.status && !(tt.status == 307 && w.Code == 301) {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, w.Code, tt.status)
		}
		if w.Header().Get(hsts) != "max-age=31536000" || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s %s: headers %v; want the hook's", tt.method, tt.path, w.Header())
		}
	}
}

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// wire is an adapter's half of a call that accepts headers and sends nothing.
type wire struct{ driver.Transport }

func (wire) Kind() driver.Kind                       { return driver.HTTP }
func (wire) Scheme() string                          { return "https" }
func (wire) HeaderChanged(driver.Header, bool) error { return nil }

// TestAllocations compares the hook with one that sets as many headers and does
// nothing else.
func TestAllocations(t *testing.T) {
	bare := interceptor.FromFuncs("bare", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		for range len(plain) + 1 {
			_ = call.ResponseHeader().SetDefault("X-Frame-Options", "DENY")
		}
		return ctx, nil
	}})
	run := func(hook interceptor.Hook) float64 {
		stack := interceptor.MustNew(hook)
		return testing.AllocsPerRun(1000, func() {
			c := new(interceptor.Call)
			ops.Begin(c, stack, t.Context(), wire{})
			ops.Request(c)
			ops.End(c, 0)
		})
	}
	if n := run(secureheaders.New()) - run(bare); n != 0 {
		t.Errorf("%v allocations beyond those of setting headers, want none", n)
	}
}
