// Package weborigin checks origins as operators write them down: exactly as a
// browser sends them in the header Origin, so that comparing bytes is enough.
package weborigin

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Check returns nil if a browser can send origin in the header Origin, which it
// serialises as scheme://host[:port] (RFC 6454 section 6.2, WHATWG HTML section
// 7.5.1). Otherwise the error says what to write instead.
func Check(origin string) error {
	switch origin {
	case "":
		return errors.New("it is empty; write scheme://host[:port]")
	case "null":
		return errors.New(`"null" is the origin of every sandboxed page and local file; give the page an origin of its own`)
	}
	if strings.Contains(origin, "*") {
		return errors.New("wildcards are not supported; whoever gets hold of one subdomain would be trusted, so list the origins one by one")
	}
	scheme, rest, found := strings.Cut(origin, "://")
	if !found {
		return errors.New("the scheme is missing; write scheme://host[:port], such as https://app.example.com")
	}
	if err := checkScheme(scheme); err != nil {
		return err
	}
	if at := strings.IndexAny(rest, "/?#@\\"); at >= 0 {
		return fmt.Errorf("an origin is scheme://host[:port] and nothing else; remove %q and what belongs to it", rest[at])
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return err
	}
	if err := checkHost(host); err != nil {
		return err
	}
	return checkPort(scheme, port)
}

func checkScheme(scheme string) error {
	switch scheme {
	case "file", "data", "blob", "about", "javascript":
		return fmt.Errorf("pages with the scheme %q send the origin null, which anybody can", scheme)
	}
	for i := range len(scheme) {
		b := scheme[i]
		first := 'a' <= b && b <= 'z'
		if !first && (i == 0 || (b < '0' || b > '9') && b != '+' && b != '-' && b != '.') {
			return fmt.Errorf("%q is not a scheme in lower case; browsers send it so, such as https", scheme)
		}
	}
	if scheme == "" {
		return errors.New("the scheme is empty; write scheme://host[:port], such as https://app.example.com")
	}
	return nil
}

// splitPort splits host and port; an IPv6 address keeps its brackets.
func splitPort(s string) (host, port string, err error) {
	from := strings.LastIndexByte(s, ']') + 1
	colon := strings.IndexByte(s[from:], ':')
	if colon < 0 {
		return s, "", nil
	}
	colon += from
	switch port = s[colon+1:]; {
	case port == "":
		return "", "", errors.New("the port is empty; remove the colon")
	case strings.Contains(port, ":"):
		return "", "", errors.New("it has several colons; write an IPv6 address in brackets, such as [2001:db8::1]")
	}
	return s[:colon], port, nil
}

func checkHost(host string) error {
	if inner, found := strings.CutPrefix(host, "["); found {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" || addr.Is4In6() || host != "["+addr.String()+"]" {
			return fmt.Errorf("%q is not an IPv6 address as browsers spell it, such as [2001:db8::1]", host)
		}
		return nil
	}
	if len(host) == 0 || len(host) > 253 {
		return errors.New("the host is missing or too long; write scheme://host[:port]")
	}
	for label := range strings.SplitSeq(host, ".") {
		if err := checkLabel(label); err != nil {
			return fmt.Errorf("the host %q %w", host, err)
		}
	}
	return checkNumbers(host)
}

func checkLabel(label string) error {
	if label == "" {
		return errors.New("has an empty label; remove the dot at its beginning or end")
	}
	for i := range len(label) {
		b := label[i]
		switch {
		case 'A' <= b && b <= 'Z':
			return errors.New("has upper-case letters; browsers send it in lower case")
		case b >= 0x80:
			return errors.New("is not ASCII; browsers send international names as xn--…")
		case (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '_':
			return fmt.Errorf("contains %q, which no host name has", b)
		}
	}
	return nil
}

// checkNumbers refuses hosts that browsers take for an IPv4 address and rewrite:
// those whose last label is a number (WHATWG URL section 3.5).
func checkNumbers(host string) error {
	last := host[strings.LastIndexByte(host, '.')+1:]
	digits := strings.Trim(last, "0123456789") == ""
	hex := strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == ""
	if !digits && !hex {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err != nil || addr.String() != host {
		return fmt.Errorf("%q is not an IPv4 address as browsers spell it, such as 192.0.2.1", host)
	}
	return nil
}

func checkPort(scheme, port string) error {
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%q is not a port; write a number up to 65535 without leading zeros", port)
	}
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return fmt.Errorf("browsers leave out the port %s of %s; remove it", port, scheme)
	}
	return nil
}
