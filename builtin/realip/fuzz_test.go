package realip_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// FuzzXForwardedFor checks that a stranger decides nothing: whatever it sent, the
// entry that the trusted proxy appends is the client. And whatever a proxy writes,
// the result is an address that stands in the header, or none.
func FuzzXForwardedFor(f *testing.F) {
	for _, tt := range forwardedFor {
		f.Add(strings.Join(tt.values, ","))
	}
	fuzz(f, "X-Forwarded-For", ", 198.51.100.5")
}

// FuzzForwarded does the same with the header of RFC 7239.
func FuzzForwarded(f *testing.F) {
	for _, tt := range forwarded {
		f.Add(strings.Join(tt.values, ","))
	}
	fuzz(f, "Forwarded", `, by="_a\",\\";FOR="198.51.100.5:80"`, realip.Forwarded())
}

func fuzz(f *testing.F, header, appended string, opts ...realip.Option) {
	f.Helper()
	hook := realip.New(append(opts, realip.Trust("10.0.0.0/8"))...)
	f.Fuzz(func(t *testing.T, value string) {
		http := interceptortest.WithHTTP(http.MethodGet, "/")
		got, ok := address(t, hook, tcp(proxy), http, interceptortest.WithHeader(header, value+appended))
		if !ok || got != netip.MustParseAddr("198.51.100.5") {
			t.Fatalf("%q: client %v; want the address that the proxy appended", value+appended, got)
		}
		if got, _ = address(t, hook, tcp(stranger), http, interceptortest.WithHeader(header, value)); got.String() != "203.0.113.9" {
			t.Fatalf("%q: client %v; want the untrusted peer", value, got)
		}
		checkAny(t, hook, header, value)
	})
}

func checkAny(t *testing.T, hook interceptor.Hook, header, value string) {
	got, ok := address(t, hook, tcp(proxy), interceptortest.WithHeader(header, value))
	if ok != got.IsValid() || got.Is4In6() || got.Zone() != "" {
		t.Fatalf("%q: client %v, %v; want a plain address or none", value, got, ok)
	}
	if got.Is4() && !strings.Contains(value, got.String()) && !strings.Contains(value, ":") {
		t.Fatalf("%q: client %v, which the header does not name", value, got)
	}
}
