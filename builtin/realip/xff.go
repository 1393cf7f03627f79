package realip

import (
	"net/netip"
	"strings"
)

// maxEntry bounds an entry of X-Forwarded-For. The longest address with brackets
// and port has 53 characters.
const maxEntry = 64

// xForwardedFor is no standard, but what nearly every proxy writes: addresses,
// sometimes with a port, separated by commas.
var xForwardedFor = list{
	header:   "X-Forwarded-For",
	metadata: "x-forwarded-for",
	last:     lastEntry,
	parse:    parseEntry,
}

// lastEntry splits at the last comma. It looks no further than an entry can be
// long; what is longer comes back whole, for parse to refuse.
func lastEntry(value string) (rest, entry string, more bool) {
	from := max(0, len(value)-maxEntry-1)
	comma := strings.LastIndexByte(value[from:], ',')
	if comma < 0 {
		return "", value, false
	}
	comma += from
	return value[:comma], value[comma+1:], true
}

func parseEntry(entry string) (netip.Addr, bool) {
	if len(entry) > maxEntry {
		return netip.Addr{}, false
	}
	return parseNode(strings.Trim(entry, " \t"))
}

// parseNode reads an IP address with or without a port; an IPv6 address with a
// port has brackets (RFC 7239 section 6).
func parseNode(node string) (netip.Addr, bool) {
	host, port := node, ""
	if inner, found := strings.CutPrefix(node, "["); found {
		if host, port, found = strings.Cut(inner, "]"); !found || !strings.Contains(host, ":") {
			return netip.Addr{}, false
		}
	} else if colon := strings.IndexByte(node, ':'); colon >= 0 && colon == strings.LastIndexByte(node, ':') {
		host, port = node[:colon], node[colon:]
	}
	if port != "" && !validPort(port) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// validPort accepts what may follow an address: a colon and a port, or the
// pseudonym of one that RFC 7239 section 6.3 allows.
func validPort(s string) bool {
	if len(s) < 2 || s[0] != ':' {
		return false
	}
	if s[1] == '_' {
		return len(s) > 2 && strings.IndexFunc(s[2:], notObfuscated) < 0
	}
	return len(s) <= len(":65535") && strings.Trim(s[1:], "0123456789") == ""
}

func notObfuscated(r rune) bool {
	letter := 'a' <= r|0x20 && r|0x20 <= 'z'
	return !letter && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
}
