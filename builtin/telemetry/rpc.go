package telemetry

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/crosscut-go/crosscut/interceptor"
)

// startRPC adds what is known of a gRPC call before anything has run.
func (r *record) startRPC(attrs []attribute.KeyValue) []attribute.KeyValue {
	if r.target == r.hook.targets.unknownRPC {
		attrs = append(attrs, keyRPCOriginal.String(original(r.call.Path())))
	}
	return r.appendServer(attrs)
}

// endRPC adds how a gRPC call has ended.
func (r *record) endRPC(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs, r.hook.statusKey.String(codeName(r.call.Code())))
	if r.target == r.hook.targets.unknownRPC {
		attrs = append(attrs, keyRPCOriginal.String(original(r.call.Path())))
	}
	return attrs
}

// original is the method that a client asked for, as rpc.method would spell it.
func original(path string) string {
	return cut(strings.TrimPrefix(path, "/"), maxText)
}

// appendServer adds the host that the client asked for.
func (r *record) appendServer(attrs []attribute.KeyValue) []attribute.KeyValue {
	authority := r.origin.Host
	if authority == "" {
		authority = r.call.Authority()
	}
	if authority == "" {
		return attrs
	}
	host, port := splitHost(cut(authority, maxText))
	if port == 0 {
		port = defaultPort(r.scheme())
	}
	attrs = append(attrs, keyServerAddress.String(host))
	if port != 0 {
		attrs = append(attrs, keyServerPort.Int(port))
	}
	return attrs
}

// scheme returns the scheme that the client used, as far as it is known.
func (r *record) scheme() string {
	switch r.origin.Scheme {
	case schemeHTTP, schemeHTTPS:
		return r.origin.Scheme
	}
	return r.call.Scheme()
}

const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
)

// defaultPort is the port of an authority that names none (RFC 9110, section
// 4.2).
func defaultPort(scheme string) int {
	switch scheme {
	case schemeHTTP:
		return 80
	case schemeHTTPS:
		return 443
	}
	return 0
}

// splitHost splits an authority; port is 0 where there is none.
func splitHost(authority string) (host string, port int) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.HasSuffix(authority, "]") {
		return strings.Trim(authority, "[]"), 0
	}
	n, err := strconv.ParseUint(authority[i+1:], 10, 16)
	if err != nil {
		return authority, 0
	}
	return strings.Trim(authority[:i], "[]"), int(n)
}

// appendPeer adds who is at the other end of the connection.
func (r *record) appendPeer(attrs []attribute.KeyValue) []attribute.KeyValue {
	if !r.hook.addresses {
		return attrs
	}
	p := r.findPeer()
	if p.host == "" {
		return attrs
	}
	attrs = append(attrs, keyPeerAddress.String(p.host))
	if p.port != 0 {
		attrs = append(attrs, keyPeerPort.Int(p.port))
	}
	return attrs
}

// peer is the other end of the connection, as text. It is made once, since that
// takes several allocations.
type peer struct {
	found bool
	host  string
	port  int
}

func (r *record) findPeer() peer {
	if !r.peer.found {
		host, port := addressOf(r.call.Peer().Addr)
		r.peer = peer{true, host, port}
	}
	return r.peer
}

// addressOf returns the address without its port, "" for none and for calls
// within the process. An IPv4 address that arrived on an IPv6 socket is written as
// IPv4.
func addressOf(addr net.Addr) (host string, port int) {
	if addr == nil || addr.Network() == "inprocess" {
		return "", 0
	}
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp != nil {
		if ap := tcp.AddrPort(); ap.IsValid() {
			return ap.Addr().Unmap().String(), int(ap.Port())
		}
	}
	text := cut(addr.String(), maxText)
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().String(), int(ap.Port())
	}
	return text, 0
}

// transcoded returns the target of the RPC that a REST call has run, for those
// who chart by RPC, or nil.
func (h *hook) transcoded(call *interceptor.Call) *target {
	m := call.Method()
	if !h.rpcForREST || call.Transport() != interceptor.HTTP || m.Descriptor() == nil {
		return nil
	}
	return h.targets.perMethod(m).rpc
}
