package httpadapter

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// RequestFrom returns the HTTP request of a call, for hooks that need more of it
// than the call tells, and false for calls that did not arrive through this
// package (a gRPC call on a mounted server did). The phases of the call may use
// it; it shares URL and Header with the request that the handler gets, and has
// Pattern, path values and the context of the call once a route has matched. Do not
// read or replace its Body, and change nothing that routing depends on: a call whose
// route no longer matches the decision fails INTERNAL.
func RequestFrom(call *interceptor.Call) (*http.Request, bool) {
	if call == nil {
		return nil, false
	}
	x, ok := ops.Transport(call).(*exchange)
	if !ok {
		return nil, false
	}
	return x.req, true
}

// Kind tells whether the call is gRPC on a mounted server, or HTTP.
func (x *exchange) Kind() driver.Kind { return x.kind }

// Protocol returns the HTTP version.
func (x *exchange) Protocol() string {
	switch r := x.received; {
	case r.ProtoMajor >= 3:
		return "3"
	case r.ProtoMajor == 2:
		return "2"
	case r.ProtoMinor == 0:
		return "1.0"
	default:
		return "1.1"
	}
}

// Path returns the path as the client sent it; for gRPC it is the method's name,
// which grpc-go takes from the decoded path.
func (x *exchange) Path() string {
	r := x.received
	if x.kind == driver.GRPC {
		return r.URL.Path
	}
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return path
	}
	if path := r.URL.EscapedPath(); path != "" || r.RequestURI == "" {
		return path // absolute-form, or a request that no server received
	}
	return r.RequestURI // authority-form
}

// Authority returns the host asked for.
func (x *exchange) Authority() string { return x.received.Host }

// Scheme tells whether this server's connection has TLS.
func (x *exchange) Scheme() string {
	if x.received.TLS != nil {
		return "https"
	}
	return "http"
}

// HTTPMethod returns the request's method, and "" on gRPC.
func (x *exchange) HTTPMethod() string {
	if x.kind == driver.GRPC {
		return ""
	}
	return x.received.Method
}

// Flushed tells whether a plain handler or a gateway has flushed the response.
func (x *exchange) Flushed() bool { return x.kind == driver.HTTP && x.flushed.Load() }

// Peer returns the ends of the connection.
func (x *exchange) Peer() driver.Peer {
	local := x.localAddr()
	return driver.Peer{Remote: addrOf(x.received.RemoteAddr, local), Local: local, TLS: x.received.TLS}
}

// RemoteAddr returns the text that net/http wrote, if it is an address.
func (x *exchange) RemoteAddr() string {
	remote := x.received.RemoteAddr
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	if _, unix := x.localAddr().(*net.UnixAddr); unix {
		return "" // see addrOf
	}
	if ap.Addr().Is4In6() {
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()).String()
	}
	return remote
}

func (x *exchange) localAddr() net.Addr {
	local, _ := x.received.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return local
}

// addrOf returns the address that net/http wrote into RemoteAddr. On a Unix socket that
// is a name, which the client may have chosen so that it looks like an address.
func addrOf(remote string, local net.Addr) net.Addr {
	if remote == "" {
		return nil
	}
	if _, unix := local.(*net.UnixAddr); unix {
		return textAddr(remote)
	}
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return tcpAddr(ap)
	}
	return textAddr(remote) // a Unix socket, or what a middleware put there
}

// tcpAddr is net.TCPAddrFromAddrPort with the bytes of the IP in the same
// allocation.
func tcpAddr(ap netip.AddrPort) *net.TCPAddr {
	a := new(struct {
		addr  net.TCPAddr
		bytes [net.IPv6len]byte
	})
	ip := a.bytes[:0]
	if addr := ap.Addr(); addr.Is4() {
		b := addr.As4()
		ip = append(ip, b[:]...)
	} else {
		b := addr.As16()
		ip = append(ip, b[:]...)
	}
	a.addr = net.TCPAddr{IP: net.IP(ip), Port: int(ap.Port()), Zone: ap.Addr().Zone()}
	return &a.addr
}

type textAddr string

func (a textAddr) Network() string { return "tcp" }
func (a textAddr) String() string  { return string(a) }

// RequestHeader returns the values of key in the order received.
func (x *exchange) RequestHeader(key string) []string { return x.received.Header.Values(key) }

// DeleteRequestHeader hides key from all who read the request from now on. It
// deletes in place: every copy of the request shares the map, unless a handler
// further in has replaced it on its own.
func (x *exchange) DeleteRequestHeader(key string) {
	x.received.Header.Del(key)
	x.req.Header.Del(key)
}

// Request returns the request as it was last handed on.
func (x *exchange) Request() *http.Request { return x.req }

// SetRequest records the request as a layer hands it on.
func (x *exchange) SetRequest(r *http.Request) { x.req = r }

// SetRenderer makes r write the errors from here on.
func (x *exchange) SetRenderer(r httpwire.Renderer) { x.renderer = r }

// BeforeEnd has f run before the outcome becomes final. Whoever calls it is about
// to run phases of this call on another goroutine.
func (x *exchange) BeforeEnd(f func()) {
	if !x.apart { // written once, since that goroutine reads it
		x.apart = true
	}
	if earlier := x.beforeEnd; earlier != nil {
		x.beforeEnd = func() {
			defer f() // also when the earlier one panics
			earlier()
		}
		return
	}
	x.beforeEnd = f
}

// Encode has nothing to try: plain handlers write bytes.
func (x *exchange) Encode(any) error { return nil }

// HeaderChanged applies what a hook did to the response header at once, so that
// the handler sees it. Defaults wait until the header leaves. So does everything
// once a dispatch runs on another goroutine: it may be here while this one writes.
func (x *exchange) HeaderChanged(op driver.Header, trailer bool) error {
	if x.kind == driver.GRPC && reservedInGRPC(op.Key) {
		return ops.Misuse("gRPC sets the header " + op.Key + " itself; set it on HTTP calls only")
	}
	if trailer || x.apart {
		return nil
	}
	x.applied++
	if op.Op != driver.Default {
		x.applyTo(x.inner.Header(), http.CanonicalHeaderKey(op.Key), &op)
	}
	return nil
}

func reservedInGRPC(key string) bool {
	switch strings.ToLower(key) {
	case "content-type", "content-length", "te", "trailer", "transfer-encoding", "connection",
		"grpc-status", "grpc-message", "grpc-encoding", "grpc-status-details-bin":
		return true
	}
	return false
}

// wireValue encodes binary metadata of gRPC as the wire needs it.
func (x *exchange) wireValue(op *driver.Header) string {
	if x.kind == driver.GRPC && len(op.Key) > 4 && strings.EqualFold(op.Key[len(op.Key)-4:], "-bin") {
		return base64.RawStdEncoding.EncodeToString([]byte(op.Value))
	}
	return op.Value
}
