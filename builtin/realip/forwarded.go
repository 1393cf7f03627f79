package realip

import (
	"net/netip"
	"strings"
)

// maxElement bounds an element of Forwarded, which names more than an address.
const maxElement = 512

// forwarded is the header of RFC 7239.
var forwarded = list{
	header:   "Forwarded",
	metadata: "forwarded",
	last:     lastElement,
	parse:    parseElement,
}

// lastElement splits at the last comma outside of quotes. Reading backwards keeps
// a quote that a stranger opened, and never closed, from swallowing what the
// proxies wrote after it. Inside of a quoted string every quote of its content has
// an odd number of backslashes before it, so its beginning is certain.
func lastElement(value string) (rest, element string, more bool) {
	quoted := false
	for i := len(value) - 1; i >= 0 && len(value)-i <= maxElement+1; i-- {
		switch value[i] {
		case '"':
			if !quoted || !escaped(value, i) {
				quoted = !quoted
			}
		case ',':
			if !quoted {
				return value[:i], value[i+1:], true
			}
		}
	}
	return "", value, false
}

// escaped tells whether the byte at i has an odd number of backslashes before it.
func escaped(s string, i int) bool {
	before := strings.TrimRight(s[:i], `\`)
	return (i-len(before))%2 == 1
}

// parseElement returns the address in the only "for" of an element, RFC 7239
// section 4: pairs of a token and a value, separated by semicolons.
func parseElement(element string) (addr netip.Addr, ok bool) {
	if len(element) > maxElement {
		return netip.Addr{}, false
	}
	node, found := "", false
	for rest := element; ; {
		name, value, after, valid := cutPair(rest)
		if !valid {
			return netip.Addr{}, false
		}
		if strings.EqualFold(name, "for") {
			if found {
				return netip.Addr{}, false
			}
			node, found = value, true
		}
		if after == "" {
			break
		}
		rest = after[1:] // the semicolon
	}
	if !found {
		return netip.Addr{}, false
	}
	return parseNode(node)
}

// cutPair reads one pair, or none; after is empty or begins with a semicolon. The
// value of a quoted string comes without its quotes and with its escapes: an
// address needs none, so one that has some is refused later.
func cutPair(s string) (name, value, after string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	if s == "" || s[0] == ';' {
		return "", "", s, true
	}
	name, s = cutToken(s)
	if name == "" || s == "" || s[0] != '=' {
		return "", "", "", false
	}
	s = s[1:]
	if strings.HasPrefix(s, `"`) {
		if value, s, ok = cutQuoted(s[1:]); !ok {
			return "", "", "", false
		}
	} else if value, s = cutToken(s); value == "" {
		return "", "", "", false
	}
	s = strings.TrimLeft(s, " \t")
	return name, value, s, s == "" || s[0] == ';'
}

// cutToken cuts a token of RFC 9110 section 5.6.2 off s.
func cutToken(s string) (token, after string) {
	for i := range len(s) {
		b := s[i]
		letter := 'a' <= b|0x20 && b|0x20 <= 'z'
		if !letter && (b < '0' || b > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// cutQuoted cuts a quoted string off s, whose opening quote has been read.
func cutQuoted(s string) (value, after string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return s[:i], s[i+1:], true
		case '\\':
			i++
		}
	}
	return "", "", false
}
