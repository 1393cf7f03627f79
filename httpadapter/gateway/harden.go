package gateway

import (
	"net/http"
	"strings"
)

// harden removes from r the headers with which a client could forge what the
// gateway tells the RPC: metadata, the addresses of proxies, and the HTTP method.
// What they would have said comes from the connection instead: with the headers
// gone, runtime.AnnotateContext derives x-forwarded-for and x-forwarded-host from
// RemoteAddr and Host alone, and from the address that forwardClient adds. r itself is left as it is; a copy is made only when
// something must go.
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
// Servers and matchers behind it may take "_" and "." for "-" (as CGI did), so
// all spellings are one.
func forged(key string) bool {
	if len(key) < len("Forwarded") || !strings.ContainsRune("gGfFxX", rune(key[0])) {
		return false // nearly every header, at no cost
	}
	folded := foldKey.Replace(strings.ToLower(key))
	return strings.HasPrefix(folded, "grpc-metadata-") || strings.HasPrefix(folded, "x-forwarded-") ||
		folded == "forwarded" || folded == "x-http-method-override"
}

var foldKey = strings.NewReplacer("_", "-", ".", "-")
