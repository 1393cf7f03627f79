package interceptor

import (
	"crypto/tls"
	"net"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// Peer is who sent a call.
type Peer struct {
	// Addr is the address of the other end of the connection, as the transport
	// gives it; nil where it is unknown. Behind a proxy it is the proxy's. Calls
	// made through an in-process connection have a network of "inprocess".
	Addr net.Addr
	// LocalAddr is the address the call arrived at, or nil.
	LocalAddr net.Addr
	// TLS is the state of the connection, or nil without TLS. It is shared: do
	// not change it.
	TLS *tls.ConnectionState
}

// Peer returns who sent the call. It is built when asked for.
func (c *Call) Peer() Peer {
	if c == nil || c.wire == nil {
		return Peer{}
	}
	p := c.wire.Peer()
	return Peer{Addr: p.Remote, LocalAddr: p.Local, TLS: p.TLS}
}

// RemoteAddr returns the IP address and port of the other end of the connection as
// text, such as "192.0.2.1:4711" or "[2001:db8::1]:4711", and "" where it has none
// (in process, on a Unix socket). It is the text of what [Call.Peer] returns, except
// that an IPv4 address which arrived on an IPv6 socket is written as IPv4, and costs
// less: on HTTP it takes no allocation. It is for logs. Behind a proxy it is the
// proxy's, and what decides about a call should compare addresses, not texts.
func (c *Call) RemoteAddr() string {
	if c == nil || c.wire == nil {
		return ""
	}
	if r, ok := c.wire.(driver.RemoteAddresser); ok {
		return r.RemoteAddr()
	}
	return driver.AddrText(c.wire.Peer().Remote)
}
