package interceptor

import (
	"crypto/tls"
	"net"
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
