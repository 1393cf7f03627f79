package realip

import (
	"context"
	"net"
	"net/netip"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/clientaddr"
)

// MaxHops is how many trusted proxies in a row are followed. A longer chain than
// that is a loop or a forgery, and the call then has no address.
const MaxHops = 16

// Key holds the address of the client from the moment the hook's BeforeRequest
// has run, if there is one: never an IPv4 address in IPv6 clothes, and without a
// zone. The REST gateway hands it to RPCs as x-forwarded-for.
var Key = clientaddr.Key

// From returns the client's address of the call that ctx belongs to; handlers use
// it. It returns the zero Addr and false where there is none.
func From(ctx context.Context) (netip.Addr, bool) { return Key.From(ctx) }

// New returns the hook that sets [Key] in BeforeRequest, on every transport.
// Without options the address is the peer's.
func New(opts ...Option) interceptor.Hook {
	h := &hook{list: xForwardedFor}
	for _, o := range opts {
		o.apply(h)
	}
	return h
}

type hook struct {
	interceptor.Base
	trusted []netip.Prefix
	list    list
}

// list is a header that names the hops of a request, and how to read it.
type list struct {
	header   string // as HTTP spells it
	metadata string // as gRPC spells it
	// last splits the last entry off the value of a header.
	last func(value string) (rest, entry string, more bool)
	// parse reads an entry.
	parse func(entry string) (netip.Addr, bool)
}

var (
	_ interceptor.Named    = (*hook)(nil)
	_ interceptor.Provider = (*hook)(nil)
)

// Name returns "realip".
func (h *hook) Name() string { return "realip" }

// Provides returns [Key].
func (h *hook) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{Key} }

// BeforeRequest settles the address, before any hook further in can ask for it.
func (h *hook) BeforeRequest(ctx context.Context, call *interceptor.Call) (context.Context, error) {
	if addr := h.client(call); addr.IsValid() {
		Key.Set(call, addr)
	}
	return ctx, nil
}

// client returns the client's address, or the zero Addr.
func (h *hook) client(call *interceptor.Call) netip.Addr {
	peer := addrOf(call.Peer().Addr)
	if !h.trusts(peer) {
		return peer
	}
	values := call.RequestHeader().Values(h.key(call))
	if len(values) == 0 {
		return peer
	}
	return h.walk(values)
}

// walk goes through the entries from the right. Every entry it reads was written
// by a trusted proxy.
func (h *hook) walk(values []string) (client netip.Addr) {
	hops := 0
	for i := len(values) - 1; i >= 0; i-- {
		rest, more := values[i], true
		for more {
			var entry string
			rest, entry, more = h.list.last(rest)
			addr, ok := h.list.parse(entry)
			if hops++; !ok || hops > MaxHops {
				return netip.Addr{}
			}
			if client = addr; !h.trusts(addr) {
				return client
			}
		}
	}
	return client
}

func (h *hook) trusts(addr netip.Addr) bool {
	for _, p := range h.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// key returns the header's name in the spelling of the call's transport, which
// need not be folded.
func (h *hook) key(call *interceptor.Call) string {
	if call.Transport() == interceptor.GRPC {
		return h.list.metadata
	}
	return h.list.header
}

// addrOf returns the IP address of a TCP or UDP (QUIC) peer. Names of other
// networks are not looked at: a client may choose that of its Unix socket.
func addrOf(peer net.Addr) netip.Addr {
	var addr netip.AddrPort
	switch a := peer.(type) {
	case *net.TCPAddr:
		addr = a.AddrPort()
	case *net.UDPAddr:
		addr = a.AddrPort()
	}
	return addr.Addr().Unmap().WithZone("")
}
