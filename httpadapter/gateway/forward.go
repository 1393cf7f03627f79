package gateway

import (
	"maps"
	"net/http"
	"net/netip"

	"github.com/crosscut-go/crosscut/internal/clientaddr"
)

// forwardClient tells the RPC the client's address, if a hook has found it behind
// trusted proxies: runtime.AnnotateContext adds the peer of RemoteAddr to what it
// reads in this header. hardened is what harden made of r, perhaps r itself, and
// has no such header any more.
func (g *Handler) forwardClient(hardened, r *http.Request) *http.Request {
	call, _ := g.callOf(r.Context())
	client, ok := clientaddr.Key.Get(call)
	if !ok || client == peerOf(r) {
		return hardened
	}
	if hardened == r {
		hardened = r.WithContext(r.Context()) // a copy: hooks and logs keep the original
		hardened.Header = maps.Clone(r.Header)
	}
	hardened.Header["X-Forwarded-For"] = []string{client.String()}
	return hardened
}

// peerOf returns the address of the connection as realip.Key spells addresses.
func peerOf(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero one for what is none
	return peer.Addr().Unmap().WithZone("")
}
