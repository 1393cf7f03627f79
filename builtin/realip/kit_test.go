package realip_test

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestConformance holds the hook to the rules that every hook has to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return realip.New(realip.Trust("127.0.0.0/8", "::1")) })
}

// TestForgedHeadersEverywhere sends the headers from a peer that nobody trusts.
func TestForgedHeadersEverywhere(t *testing.T) {
	t.Parallel()
	header := http.Header{
		"X-Forwarded-For": {"198.51.100.5"}, "Forwarded": {"for=198.51.100.5"}, "X-Real-Ip": {"198.51.100.5"},
		"Grpc-Metadata-X-Real-Ip": {"198.51.100.5"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil.test"},
	}
	each(t, header, netip.Addr.IsLoopback, realip.New(realip.Trust("10.0.0.0/8")))
}

// TestHonestProxyEverywhere sends what a proxy in front would, from a peer that is
// trusted. In process there is no peer to trust.
func TestHonestProxyEverywhere(t *testing.T) {
	t.Parallel()
	client := netip.MustParseAddr("198.51.100.5")
	is := func(got netip.Addr) bool { return got == client }
	header := http.Header{"X-Forwarded-For": {"1.1.1.1, 198.51.100.5, 10.0.0.9"}}
	each(t, header, is, realip.New(realip.Trust("127.0.0.0/8", "::1", "10.0.0.0/8")))
	header = http.Header{"Forwarded": {`for="1.1.1.1, for=198.51.100.5;host="a,b", for=10.0.0.9`}}
	each(t, header, is, realip.New(realip.Forwarded(), realip.Trust("127.0.0.0/8", "::1", "10.0.0.0/8")))
}

func each(t *testing.T, header http.Header, want func(netip.Addr) bool, hook interceptor.Hook) {
	t.Helper()
	var seen netip.Addr // by the handler; Each makes one call after the other
	request := interceptortest.Request{Header: header, Handler: func(ctx context.Context) error {
		seen, _ = realip.From(ctx)
		return nil
	}}
	interceptortest.Each(t, []interceptor.Hook{hook}, request, func(t *testing.T, got interceptortest.Result) {
		addr, ok := realip.Key.Get(got.Call)
		if inProcess := strings.HasPrefix(got.Transport, "in-process/"); inProcess {
			if ok || seen.IsValid() {
				t.Errorf("client %v; want none in process", addr)
			}
		} else if !ok || !want(addr) || addr != seen {
			t.Errorf("client %v, %v; the handler saw %v", addr, ok, seen)
		}
		if !got.Reached || got.Call.Scheme() == "https" || got.Call.Authority() == "evil.test" {
			t.Errorf("reached %v, scheme %s, authority %s; want those of the connection", got.Reached, got.Call.Scheme(), got.Call.Authority())
		}
	})
}
