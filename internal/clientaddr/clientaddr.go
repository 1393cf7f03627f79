// Package clientaddr holds the key of the client's address, which builtin/realip
// sets and shows to users. It stands apart so that the REST gateway can tell RPCs
// the address that was verified: adapters import no builtin.
package clientaddr

import (
	"net/netip"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Key is realip.Key.
var Key = interceptor.NewKey[netip.Addr]("client_address")
