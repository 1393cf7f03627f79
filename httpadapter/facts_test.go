package httpadapter_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"reflect"
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
)

// TestFacts: what a call tells about its request.
func TestFacts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                              string
		change                            func(r *http.Request)
		protocol, path, scheme, addr, net string
	}{
		{"plain", func(*http.Request) {}, "1.1", "/a%2Fb", "http", "192.0.2.1:1234", "tcp"},
		{"1.0", func(r *http.Request) { r.ProtoMinor = 0 }, "1.0", "/a%2Fb", "http", "192.0.2.1:1234", "tcp"},
		{"h2 with TLS", func(r *http.Request) { r.ProtoMajor, r.ProtoMinor, r.TLS = 2, 0, &tls.ConnectionState{} }, "2", "/a%2Fb", "https", "192.0.2.1:1234", "tcp"},
		{"h3", func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 3, 0 }, "3", "/a%2Fb", "http", "192.0.2.1:1234", "tcp"},
		{"IPv6 with zone", func(r *http.Request) { r.RemoteAddr = "[fe80::1%eth0]:7" }, "1.1", "/a%2Fb", "http", "[fe80::1%eth0]:7", "tcp"},
		{"Unix socket", func(r *http.Request) { r.RemoteAddr = "@" }, "1.1", "/a%2Fb", "http", "@", "tcp"},
		{"absolute form", func(r *http.Request) { r.RequestURI = "http://example.com/a%2Fb?c" }, "1.1", "/a%2Fb", "http", "192.0.2.1:1234", "tcp"},
		{"authority form", func(r *http.Request) { r.RequestURI = "example.com:443"; r.URL.Path, r.URL.RawPath = "", "" }, "1.1", "example.com:443", "http", "192.0.2.1:1234", "tcp"},
		{"not from a server", func(r *http.Request) { r.RequestURI = "" }, "1.1", "/a%2Fb", "http", "192.0.2.1:1234", "tcp"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			record(muxWith(tr.two(nil), "/", http.NotFoundHandler()), "PUT", "/a%2Fb?c=d", test.change)
			call := tr.end(t).call
			peer := call.Peer()
			if call.Protocol() != test.protocol || call.Path() != test.path || call.Scheme() != test.scheme || call.Authority() != "example.com" ||
				call.HTTPMethod() != "PUT" || call.Transport() != interceptor.HTTP || peer.Addr.String() != test.addr || peer.Addr.Network() != test.net || (peer.TLS != nil) != (test.scheme == "https") {
				t.Errorf("%s %s %s %s %s %v %v", call.Protocol(), call.Path(), call.Scheme(), call.Authority(), call.HTTPMethod(), call.Transport(), peer)
			}
		})
	}
	tr := newTrace()
	record(muxWith(tr.two(nil), "/", http.NotFoundHandler()), "GET", "/", func(r *http.Request) { r.RemoteAddr = "" })
	if peer := tr.end(t).call.Peer(); peer.Addr != nil || peer.LocalAddr != nil {
		t.Errorf("peer %v without addresses", peer)
	}
	s := serveHTTP(t, muxWith(tr.two(nil), "/", http.NotFoundHandler()))
	get(t, s, "/")
	if peer := tr.end(t).call.Peer(); peer.LocalAddr == nil || peer.LocalAddr.String() != s.Listener.Addr().String() {
		t.Errorf("local address %v, want %v", peer.LocalAddr, s.Listener.Addr())
	}
}

// TestPeerAddress: the address is what package net makes of the text.
func TestPeerAddress(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"192.0.2.1:1234", "[2001:db8::1]:80", "[::ffff:192.0.2.1]:80", "[fe80::1%eth0]:7", "0.0.0.0:0", "[::]:65535"} {
		tr := newTrace()
		record(muxWith(tr.two(nil), "/", http.NotFoundHandler()), "GET", "/", func(r *http.Request) { r.RemoteAddr = text })
		got, want := tr.end(t).call.Peer().Addr, net.Addr(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(text)))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the peer is %#v, want %#v", text, got, want)
		}
	}
}
