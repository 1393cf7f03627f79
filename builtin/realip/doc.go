// Package realip finds the address of the client behind the proxies one runs
// oneself.
//
// The hook made by [New] keeps the address under [Key], where limits, logs and
// handlers find it, over gRPC, REST and net/http alike; handlers use [From].
// Without options it is the address of the other end of the connection, and no
// header is read: anybody can send a header. [Trust] names the proxies whose word
// counts.
//
// # Whom it believes
//
// Each proxy adds the address it was called from to the end of X-Forwarded-For.
// The list is therefore read from the right, beginning with the peer itself: while
// an address belongs to a trusted proxy, the entry before it is believed as well;
// the first address that does not is the client. What stands further left was
// written by strangers and is not looked at.
//
// One header is believed, X-Forwarded-For or, with [Forwarded], that of RFC 7239,
// and never a second one: whoever may choose between two can choose the one his
// proxy does not overwrite. No other header (X-Real-IP, True-Client-IP,
// X-Forwarded-Host, …) changes anything, and neither address, scheme, authority
// nor path of the call are changed.
//
// # When there is no address
//
// A call has no address, and Key is not set, if
//
//   - the entry that a trusted proxy vouches for is not an IP address: empty,
//     misspelt, longer than any address, "unknown", or a pseudonym of RFC 7239;
//   - there are more than [MaxHops] trusted proxies in a row;
//   - the connection has none: an in-process call that a handler made, or a Unix
//     socket.
//
// It is not replaced by the proxy's, which would pass for that of an internal
// caller wherever addresses are allowed by network. Whoever decides by address
// treats the zero netip.Addr that From then returns as one more caller: no prefix
// contains it, and a limiter has one bucket for it.
//
// If the header is missing, or every hop is a trusted one, the farthest of them is
// the client: it made the call itself, as health checks do.
//
// # Addresses
//
// An IPv4 address is the same however it is spelt: ::ffff:192.0.2.1 becomes
// 192.0.2.1, in the connection, in the header and in [Trust]. Ports are accepted
// in the header and dropped. IPv6 zones mean nothing to others: those of the
// connection are dropped, those in the header make the entry unreadable.
//
// # Order, cost and limits
//
// List it before whatever needs the address, such as rate limits; the log finds it
// wherever it is. It takes one allocation per call besides what the transport needs
// to tell the peer, and at most three over net/http. The header costs what its
// trusted entries cost, whatever a client wrote in front of them.
package realip
