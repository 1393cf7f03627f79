package realip_test

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"

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

// TestGatewayForwardsTheVerifiedAddress checks what RPCs behind the REST gateway
// find in x-forwarded-for: the client that was verified and the proxy it came
// through, never what the client wrote.
func TestGatewayForwardsTheVerifiedAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, trusted, header, want string }{
		{"trusted proxy", "127.0.0.0/8", "1.1.1.1, 198.51.100.5", "198.51.100.5, 127.0.0.1"},
		{"stranger", "10.0.0.0/8", "1.1.1.1, 198.51.100.5", "127.0.0.1"},
		{"trusted proxy without a header", "127.0.0.0/8", "", "127.0.0.1"},
		{"trusted proxy that knows nobody", "127.0.0.0/8", "unknown", "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var seen []string
			request := interceptortest.Request{Header: http.Header{}, Handler: func(ctx context.Context) error {
				md, _ := metadata.FromIncomingContext(ctx)
				seen = md.Get("x-forwarded-for")
				return nil
			}}
			if tt.header != "" {
				request.Header.Set("X-Forwarded-For", tt.header)
			}
			hooks := []interceptor.Hook{realip.New(realip.Trust(tt.trusted))}
			interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
				if strings.HasPrefix(got.Transport, "rest") && (len(seen) != 1 || seen[0] != tt.want) {
					t.Errorf("x-forwarded-for %q; want %q", seen, tt.want)
				}
			})
		})
	}
}
