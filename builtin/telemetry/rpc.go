package telemetry

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/interceptor"
)

// opening are the attributes that the span of an RPC starts with. Nearly all callers
// ask for one authority, so the last ones that were made do for most calls.
type opening struct {
	authority, scheme string
	attributes        trace.SpanStartOption
}

func (r *record) openingRPC() trace.SpanStartOption {
	authority, scheme := r.authority(), r.scheme()
	known := r.target.opening.Load()
	if known != nil && known.authority == authority && known.scheme == scheme {
		return known.attributes
	}
	attrs := append(make([]attribute.KeyValue, 0, rpcAttrs), r.target.identity...)
	if r.target == r.hook.targets.unknownRPC {
		attrs = append(attrs, keyRPCOriginal.String(original(r.call.Path())))
		return trace.WithAttributes(appendServer(attrs, authority, scheme)...)
	}
	made := &opening{authority, scheme, trace.WithAttributes(appendServer(attrs, authority, scheme)...)}
	r.target.opening.Store(made)
	return made.attributes
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

// authority returns the host that the client asked for, as far as it is known.
func (r *record) authority() string {
	authority := r.origin.Host
	if authority == "" {
		authority = r.call.Authority()
	}
	return cut(authority, maxText)
}

// appendServer adds the host that the client asked for.
func appendServer(attrs []attribute.KeyValue, authority, scheme string) []attribute.KeyValue {
	if authority == "" {
		return attrs
	}
	host, port := splitHost(authority)
	if port == 0 {
		port = defaultPort(scheme)
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

// peer is the other end of the connection, as text. It is made once, since that may
// take an allocation.
type peer struct {
	found bool
	host  string
	port  int
}

func (r *record) findPeer() peer {
	if !r.peer.found {
		host, port := addressOf(r.call)
		r.peer = peer{true, host, port}
	}
	return r.peer
}

// addressOf returns the other end's address without its port, "" for none and for
// calls within the process.
func addressOf(call *interceptor.Call) (host string, port int) {
	if remote := call.RemoteAddr(); remote != "" {
		return splitHost(cut(remote, maxText))
	}
	addr := call.Peer().Addr
	if addr == nil || addr.Network() == "inprocess" {
		return "", 0
	}
	return cut(addr.String(), maxText), 0
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
