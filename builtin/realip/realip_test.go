package realip_test

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

const (
	proxy    = "10.0.0.7:4711"
	stranger = "203.0.113.9:4711"
)

// transports are how a unit test can make a call.
var transports = map[string][]interceptortest.CallOption{
	"grpc": nil,
	"http": {interceptortest.WithHTTP(http.MethodGet, "/")},
}

// address runs the hook on a call and returns what the call is taken to come from.
func address(t testing.TB, hook interceptor.Hook, peer net.Addr, opts ...interceptortest.CallOption) (netip.Addr, bool) {
	t.Helper()
	opts = append(opts, interceptortest.WithPeer(interceptor.Peer{Addr: peer}))
	call, ctx := interceptortest.NewCall(opts...)
	if _, err := hook.BeforeRequest(ctx, call); err != nil {
		t.Fatal(err)
	}
	return realip.From(ctx)
}

func tcp(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

// forwardedFor are lists that trusted proxies may bring along, and the client's
// address; "" is none. Trusted are 10.0.0.0/8, 192.0.2.7 and fd00::/8.
var forwardedFor = []struct {
	name   string
	values []string
	want   string
}{
	{"no header", nil, "10.0.0.7"},
	{"one client", []string{"198.51.100.5"}, "198.51.100.5"},
	{"the client's own entries", []string{"1.1.1.1, 198.51.100.5, 10.0.0.9"}, "198.51.100.5"},
	{"two header lines", []string{"1.1.1.1, 198.51.100.5", "10.0.0.9"}, "198.51.100.5"},
	{"two header lines, the stranger's first", []string{"1.1.1.1", "198.51.100.5"}, "198.51.100.5"},
	{"a single trusted address", []string{"198.51.100.5,192.0.2.7"}, "198.51.100.5"},
	{"a neighbour of the trusted address", []string{"198.51.100.5,192.0.2.8"}, "192.0.2.8"},
	{"every hop is trusted", []string{"10.1.1.1, 10.0.0.9"}, "10.1.1.1"},
	{"a client that says it is a proxy", []string{"10.0.0.1, 198.51.100.5"}, "198.51.100.5"},
	{"no blanks", []string{"1.1.1.1,198.51.100.5,10.0.0.9"}, "198.51.100.5"},
	{"tabs", []string{"198.51.100.5\t,\t10.0.0.9 "}, "198.51.100.5"},
	{"port", []string{"198.51.100.5:80"}, "198.51.100.5"},
	{"port of a proxy", []string{"198.51.100.5, 10.0.0.9:65535"}, "198.51.100.5"},
	{"IPv6", []string{"2001:db8::5"}, "2001:db8::5"},
	{"IPv6 in brackets", []string{"[2001:db8::5]"}, "2001:db8::5"},
	{"IPv6 with a port", []string{"[2001:db8::5]:443"}, "2001:db8::5"},
	{"IPv6 proxy", []string{"198.51.100.5, fd00::1"}, "198.51.100.5"},
	{"IPv4 in IPv6 clothes", []string{"::ffff:198.51.100.5"}, "198.51.100.5"},
	{"proxy in IPv6 clothes", []string{"198.51.100.5, ::ffff:10.0.0.9"}, "198.51.100.5"},
	{"proxy in hexadecimal IPv6 clothes", []string{"198.51.100.5, ::ffff:0a00:0009"}, "198.51.100.5"},
	{"garbage left of the client", []string{"<script>, \"', 198.51.100.5"}, "198.51.100.5"},
	{"kilobytes left of the client", []string{strings.Repeat("1.1.1.1,", 4000) + "198.51.100.5"}, "198.51.100.5"},
	{"one long entry left of the client", []string{strings.Repeat("1", 40000) + ",198.51.100.5"}, "198.51.100.5"},
	{"16 proxies", []string{"198.51.100.5" + strings.Repeat(", 10.0.0.9", 15)}, "198.51.100.5"},
	{"17 proxies", []string{"198.51.100.5" + strings.Repeat(", 10.0.0.9", 16)}, ""},
	{"17 proxies in as many lines", append([]string{"198.51.100.5"}, strings.Fields(strings.Repeat("10.0.0.9 ", 16))...), ""},

	{"empty", []string{""}, ""},
	{"empty last entry", []string{"198.51.100.5,"}, ""},
	{"empty entry before a proxy", []string{"198.51.100.5,,10.0.0.9"}, ""},
	{"unknown", []string{"198.51.100.5, unknown"}, ""},
	{"pseudonym", []string{"_hidden"}, ""},
	{"name", []string{"localhost"}, ""},
	{"two addresses without a comma", []string{"198.51.100.5 10.0.0.9"}, ""},
	{"semicolon", []string{"198.51.100.5;10.0.0.9"}, ""},
	{"quoted", []string{`"198.51.100.5"`}, ""},
	{"element of Forwarded", []string{"for=198.51.100.5"}, ""},
	{"leading zeros", []string{"010.0.0.1"}, ""},
	{"decimal address", []string{"3325256709"}, ""},
	{"hexadecimal address", []string{"0xc6336405"}, ""},
	{"short address", []string{"198.51.5"}, ""},
	{"number above 255", []string{"198.51.100.256"}, ""},
	{"network", []string{"198.51.100.0/24"}, ""},
	{"zone", []string{"fe80::1%eth0"}, ""},
	{"zone in brackets", []string{"[fe80::1%25eth0]"}, ""},
	{"IPv4 in brackets", []string{"[198.51.100.5]"}, ""},
	{"bracket not closed", []string{"[2001:db8::5"}, ""},
	{"bracket not opened", []string{"2001:db8::5]"}, ""},
	{"text after the bracket", []string{"[2001:db8::5]x"}, ""},
	{"port without digits", []string{"198.51.100.5:"}, ""},
	{"port with letters", []string{"198.51.100.5:http"}, ""},
	{"port of six digits", []string{"198.51.100.5:100000"}, ""},
	{"port without digits in brackets", []string{"[2001:db8::5]:"}, ""},
	{"non-breaking blank", []string{"198.51.100.5\u00a0"}, ""},
	{"full-width digits", []string{"１98.51.100.5"}, ""},
	{"NUL", []string{"198.51.100.5\x00"}, ""},
	{"64 blanks before an address", []string{strings.Repeat(" ", 64) + "198.51.100.5"}, ""},
	{"long last entry", []string{"1.1.1.1," + strings.Repeat("1", 40000)}, ""},
}

func TestXForwardedForOfATrustedPeer(t *testing.T) {
	t.Parallel()
	hook := realip.New(realip.Trust("10.0.0.0/8", "192.0.2.7"), realip.Trust("fd00::/8"))
	for _, tt := range forwardedFor {
		for transport, opts := range transports {
			t.Run(tt.name+"/"+transport, func(t *testing.T) {
				t.Parallel()
				check(t, hook, tcp(proxy), "X-Forwarded-For", tt.values, opts, tt.want)
			})
		}
	}
}

func check(t *testing.T, hook interceptor.Hook, peer net.Addr, header string, values []string, opts []interceptortest.CallOption, want string) {
	t.Helper()
	opts = append([]interceptortest.CallOption{interceptortest.WithHeader(header, values...)}, opts...)
	got, ok := address(t, hook, peer, opts...)
	if ok != (want != "") || ok && got != netip.MustParseAddr(want) {
		t.Errorf("%s %.80q: client %v, %v; want %q", header, values, got, ok, want)
	}
}

// TestNobodyIsTrustedByDefault sends the headers with which clients forge an
// address, to a hook that trusts nobody and to one that trusts others.
func TestNobodyIsTrustedByDefault(t *testing.T) {
	t.Parallel()
	hooks := map[string]interceptor.Hook{
		"nobody": realip.New(),
		"others": realip.New(realip.Trust("10.0.0.0/8")),
		"RFC":    realip.New(realip.Trust("10.0.0.0/8"), realip.Forwarded()),
	}
	for name, hook := range hooks {
		for transport, opts := range transports {
			t.Run(name+"/"+transport, func(t *testing.T) {
				t.Parallel()
				opts := append([]interceptortest.CallOption{interceptortest.WithHeader("Forwarded", "for=198.51.100.5")}, opts...)
				for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "Grpc-Metadata-X-Real-Ip"} {
					check(t, hook, tcp(stranger), header, []string{"198.51.100.5"}, opts, "203.0.113.9")
				}
			})
		}
	}
}

// TestOneHeaderIsBelieved lets a trusted proxy pass on the header it does not
// know.
func TestOneHeaderIsBelieved(t *testing.T) {
	t.Parallel()
	headers := []interceptortest.CallOption{
		interceptortest.WithHeader("X-Forwarded-For", "198.51.100.1"),
		interceptortest.WithHeader("Forwarded", "for=198.51.100.2"),
		interceptortest.WithHeader("X-Real-Ip", "198.51.100.3"),
	}
	for want, opts := range map[string][]realip.Option{
		"198.51.100.1": {realip.Trust("10.0.0.0/8")},
		"198.51.100.2": {realip.Trust("10.0.0.0/8"), realip.Forwarded()},
	} {
		if got, _ := address(t, realip.New(opts...), tcp(proxy), headers...); got.String() != want {
			t.Errorf("client %v, want %s", got, want)
		}
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		peer net.Addr
		want string
	}{
		{"IPv4", tcp("192.0.2.1:1"), "192.0.2.1"},
		{"IPv6", tcp("[2001:db8::1]:1"), "2001:db8::1"},
		{"IPv4 on an IPv6 socket", tcp("[::ffff:192.0.2.1]:1"), "192.0.2.1"},
		{"link-local", tcp("[fe80::1%eth0]:1"), "fe80::1"},
		{"QUIC", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:1")), "192.0.2.1"},
		{"trusted proxy on an IPv6 socket", tcp("[::ffff:10.0.0.7]:1"), "198.51.100.5"},
		{"trusted proxy with a zone", tcp("[fd00::1%eth0]:1"), "198.51.100.5"},
		{"nobody", nil, ""},
		{"nil TCP address", (*net.TCPAddr)(nil), ""},
		{"empty TCP address", &net.TCPAddr{}, ""},
		{"Unix socket named like an address", &net.UnixAddr{Name: "10.0.0.7:1", Net: "unix"}, ""},
	}
	hook := realip.New(realip.Trust("10.0.0.0/8", "fd00::/8"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, hook, tt.peer, "X-Forwarded-For", []string{"198.51.100.5"}, nil, tt.want)
		})
	}
}

func TestTrustRefuses(t *testing.T) {
	t.Parallel()
	for network, advice := range map[string]string{
		"0.0.0.0/0":           "everybody",
		"::/0":                "everybody",
		"::ffff:0.0.0.0/96":   "everybody",
		"10.0.0.7/8":          "write 10.0.0.0/8 for the network, or 10.0.0.7 for the address",
		"::ffff:10.0.0.7/104": "write 10.0.0.0/8",
		"2001:db8::1/32":      "write 2001:db8::/32",
		"::/64":               "name IPv4 networks as such",
		"::/80":               "name IPv4 networks as such",
		"":                    "write it like",
		"10.0.0.0/33":         "write it like",
		"10.0.0":              "write it like",
		"10.0.0.*":            "write it like",
		"proxy.internal":      "write it like",
		"fe80::1%eth0":        "write it like",
		"fe80::%eth0/10":      "write it like",
		"10.0.0.0/8,::1":      "write it like",
	} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, fmt.Sprintf("realip.Trust(%q): ", network)) || !strings.Contains(text, advice) {
					t.Errorf("panic %q; want one that says %q", text, advice)
				}
			}()
			realip.Trust("192.0.2.1", network)
		})
	}
}

func TestTrustPrefixes(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"10.0.0.0/8", "::ffff:10.0.0.0/104"} {
		hook := realip.New(realip.TrustPrefixes(netip.MustParsePrefix(network)))
		check(t, hook, tcp(proxy), "X-Forwarded-For", []string{"198.51.100.5"}, nil, "198.51.100.5")
	}
	for _, p := range []netip.Prefix{{}, netip.MustParsePrefix("0.0.0.0/0"), netip.PrefixFrom(netip.MustParseAddr("10.0.0.7"), 8)} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "realip.TrustPrefixes(") {
					t.Errorf("%v: panic %q; want one that names the option", p, text)
				}
			}()
			realip.TrustPrefixes(p)
		}()
	}
}
