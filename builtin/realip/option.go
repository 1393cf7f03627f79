package realip

import (
	"fmt"
	"net/netip"
	"strings"
)

// Option changes what [New] does.
type Option interface{ apply(*hook) }

type option func(*hook)

func (f option) apply(h *hook) { f(h) }

// Trust names the proxies that are believed: networks such as "10.0.0.0/8" and
// "fd00::/8", or single addresses such as "192.0.2.7". By default nobody is.
// Repeating it adds more.
//
// It panics for what is neither, for a network with bits set outside of its
// prefix, which is nearly always a typing error, and for one that is everybody
// ("/0"): then every client would choose its own address.
func Trust(networks ...string) Option {
	prefixes := make([]netip.Prefix, 0, len(networks))
	for _, s := range networks {
		p, err := parsePrefix(s)
		if err != nil {
			panic(fmt.Sprintf("realip.Trust(%q): %v", s, err))
		}
		prefixes = append(prefixes, p)
	}
	return trust(prefixes)
}

// TrustPrefixes is [Trust] for networks that are parsed already.
func TrustPrefixes(networks ...netip.Prefix) Option {
	prefixes := make([]netip.Prefix, 0, len(networks))
	for _, n := range networks {
		p, err := checkPrefix(n)
		if err != nil {
			panic(fmt.Sprintf("realip.TrustPrefixes(%v): %v", n, err))
		}
		prefixes = append(prefixes, p)
	}
	return trust(prefixes)
}

// Forwarded believes the Forwarded header of RFC 7239 instead of X-Forwarded-For,
// which is then ignored. Choose it if every trusted proxy writes that header:
// strangers can send it too, and a proxy passes on what it does not know.
// Repeating it changes nothing, and without [Trust] it has no effect.
func Forwarded() Option { return option(func(h *hook) { h.list = forwarded }) }

func trust(prefixes []netip.Prefix) Option {
	return option(func(h *hook) { h.trusted = append(h.trusted, prefixes...) })
}

func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("not an IP address or network; write it like 192.0.2.7, 10.0.0.0/8 or fd00::/8")
		}
		return checkPrefix(netip.PrefixFrom(addr, addr.BitLen()))
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("not an IP network; write it like 10.0.0.0/8 or fd00::/8")
	}
	return checkPrefix(p)
}

// checkPrefix returns p as addresses are compared with it: IPv4 never looks like
// IPv6.
func checkPrefix(p netip.Prefix) (netip.Prefix, error) {
	const mapped = 96 // the bits of ::ffff:0:0/96, RFC 4291 section 2.5.5.2
	if !p.IsValid() {
		return p, fmt.Errorf("not a valid network; make it with netip.ParsePrefix")
	}
	if p.Addr().Is4In6() && p.Bits() >= mapped {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	switch {
	case p.Bits() == 0:
		return p, fmt.Errorf("that is everybody, and every client could choose its own address; name the networks of your proxies")
	case p != p.Masked():
		return p, fmt.Errorf("bits are set after the first %d; write %v for the network, or %v for the address", p.Bits(), p.Masked(), p.Addr())
	case contains4In6(p):
		return p, fmt.Errorf("it covers IPv4 addresses in their IPv6 spelling; name IPv4 networks as such")
	}
	return p, nil
}

// contains4In6 tells whether p is an IPv6 network around all IPv4 addresses. None
// of them would match it, since they are compared as IPv4.
func contains4In6(p netip.Prefix) bool {
	return p.Addr().Is6() && p.Contains(netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff}))
}
