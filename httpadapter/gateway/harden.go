package gateway

import "net/http"

// harden removes from r the headers with which a client could forge what the
// gateway tells the RPC: metadata, the addresses of proxies, and the HTTP method.
// What they would have said comes from the connection instead: with the headers
// gone, runtime.AnnotateContext derives x-forwarded-for and x-forwarded-host from
// RemoteAddr and Host alone, and from the address that forwardClient adds. r itself
// is left as it is; a copy is made only when something must go.
func harden(r *http.Request) *http.Request {
	for key := range r.Header {
		if forged(key) {
			return withoutForged(r)
		}
	}
	return r
}

func withoutForged(r *http.Request) *http.Request {
	kept := make(http.Header, len(r.Header))
	for key, values := range r.Header {
		if !forged(key) {
			kept[key] = values
		}
	}
	r = r.WithContext(r.Context()) // a copy: hooks and logs keep the original
	r.Header = kept
	return r
}

// forged tells whether only the gateway itself may speak in the header key.
func forged(key string) bool {
	return spells(key, "grpc-metadata-", true) || spells(key, "x-forwarded-", true) ||
		spells(key, "forwarded", false) || spells(key, "x-http-method-override", false)
}

// spells tells whether key is name, or begins with it. Servers and matchers behind
// the gateway may take "_" and "." for "-" (as CGI did), so all spellings are one.
func spells(key, name string, prefix bool) bool {
	if len(key) < len(name) || len(key) > len(name) && !prefix {
		return false
	}
	for i := range len(name) {
		if folded(key[i]) != name[i] {
			return false
		}
	}
	return true
}

func folded(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A' + 'a'
	case c == '_', c == '.':
		return '-'
	}
	return c
}
