package httpadapter

import (
	"net/http"
	"strings"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// applyTo does to h what op asks; key is the key of op as h spells it.
func (x *exchange) applyTo(h http.Header, key string, op *driver.Header) {
	switch op.Op {
	case driver.Set:
		h[key] = []string{x.wireValue(op)}
	case driver.Add:
		h[key] = append(h[key], x.wireValue(op))
	case driver.Default:
		// A key that is there with no values is how handlers keep net/http from
		// setting a header, so it counts as set.
		if _, there := h[key]; !there {
			h[key] = []string{x.wireValue(op)}
		}
	case driver.Del:
		delete(h, key)
	}
}

// applyDefaults does what had to wait until the header leaves: what hooks did on
// another goroutine, and their defaults for what nobody else has set.
func (x *exchange) applyDefaults() {
	list := ops.Headers(&x.call)
	for ; int(x.applied) < len(list); x.applied++ {
		if op := &list[x.applied]; op.Op != driver.Default {
			x.applyTo(x.inner.Header(), http.CanonicalHeaderKey(op.Key), op)
		}
	}
	for i := range list {
		op := &list[i]
		if op.Op != driver.Default || deletedAfter(list[i+1:], op.Key) {
			continue
		}
		h := x.inner.Header()
		if strings.EqualFold(op.Key, "Vary") {
			mergeVary(h, op.Value)
		} else {
			x.applyTo(h, http.CanonicalHeaderKey(op.Key), op)
		}
	}
}

func deletedAfter(list []driver.Header, key string) bool {
	for _, op := range list {
		if op.Op == driver.Del && strings.EqualFold(op.Key, key) {
			return true
		}
	}
	return false
}

// mergeVary adds the fields listed in value that Vary does not list yet.
func mergeVary(h http.Header, value string) {
	for field := range strings.SplitSeq(value, ",") {
		if field = strings.TrimSpace(field); field != "" && !lists(h["Vary"], field) {
			h["Vary"] = append(h["Vary"], field)
		}
	}
}

// lists tells whether field is in one of the comma-separated lists, or all are:
// "*" stands for every field (RFC 9110 section 12.5.5).
func lists(values []string, field string) bool {
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			item = strings.TrimSpace(item)
			if item == "*" || strings.EqualFold(item, field) {
				return true
			}
		}
	}
	return false
}

// applyTrailers puts the trailers of hooks into the header under
// http.TrailerPrefix, where net/http finds them whether or not they were
// announced. It runs when the header leaves, so that an HTTP/1.1 response becomes
// chunked for them, and again, with final, at the end.
func (x *exchange) applyTrailers(final bool) {
	list := ops.Trailers(&x.call)
	if len(list) == 0 || x.hijacked {
		return
	}
	h := x.inner.Header()
	for ; int(x.trailers) < len(list); x.trailers++ {
		if op := &list[x.trailers]; op.Op != driver.Default {
			x.applyTo(h, trailerKey(h, op), op)
		}
	}
	if !final {
		return
	}
	for i := range list {
		if op := &list[i]; op.Op == driver.Default && !deletedAfter(list[i+1:], op.Key) {
			x.applyTo(h, trailerKey(h, op), op)
		}
	}
}

// trailerKey returns the key that net/http finds the trailer under: the plain one
// if the handler has announced it (RFC 9110 section 6.6.2).
func trailerKey(h http.Header, op *driver.Header) string {
	key := http.CanonicalHeaderKey(op.Key)
	if lists(h["Trailer"], key) {
		return key
	}
	return http.TrailerPrefix + key
}

// dropHandlerHeaders removes what describes the representation that the handler
// had in mind, since another one goes out. What hooks have set stays.
func (x *exchange) dropHandlerHeaders() {
	h := x.inner.Header()
	for key := range h {
		if describesBody(key) {
			delete(h, key)
		}
	}
	for _, op := range ops.Headers(&x.call) {
		if key := http.CanonicalHeaderKey(op.Key); op.Op != driver.Default && describesBody(key) {
			x.applyTo(h, key, &op)
		}
	}
}

// describesBody tells whether the header is about one representation of a
// resource. A Content-Security-Policy is a protection, not a description: it
// stays on error pages.
func describesBody(key string) bool {
	switch key {
	case "Etag", "Last-Modified", "Cache-Control", "Location", "Set-Cookie":
		return true
	case "Content-Security-Policy", "Content-Security-Policy-Report-Only":
		return false
	}
	return strings.HasPrefix(key, "Content-")
}
