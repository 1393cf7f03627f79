package interceptor

import (
	"strings"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// RequestHeader reads the request headers of a call: HTTP headers, or gRPC
// metadata. Keys are case-insensitive. It never copies the whole map.
type RequestHeader struct{ call *Call }

// RequestHeader returns the request headers of the call.
func (c *Call) RequestHeader() RequestHeader { return RequestHeader{c} }

// Get returns the first value of key, or "". Where a second value would matter,
// as with credentials, use Values.
func (h RequestHeader) Get(key string) string {
	if v := h.Values(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Values returns every value of key in the order received. The slice belongs to
// the call: do not change it.
func (h RequestHeader) Values(key string) []string {
	if h.call == nil || h.call.wire == nil {
		return nil
	}
	return h.call.wire.RequestHeader(key)
}

// Del hides key from every later reader, the handler included.
func (h RequestHeader) Del(key string) {
	if h.call != nil && h.call.wire != nil {
		h.call.wire.DeleteRequestHeader(key)
	}
}

// ResponseHeader writes the response headers, or trailers, of a call. What is set
// early survives into error responses. Only the running phase or handler may use
// it. Every method returns [ErrCommitted] once the headers (for trailers: the
// call) have left, and an error for a key or value that HTTP cannot carry; then
// nothing has changed.
type ResponseHeader struct {
	call    *Call
	trailer bool
}

// ResponseHeader returns the response headers of the call.
func (c *Call) ResponseHeader() ResponseHeader { return ResponseHeader{call: c} }

// ResponseTrailer returns the response trailers of the call. Over HTTP/1.1 they
// arrive only with a chunked response.
func (c *Call) ResponseTrailer() ResponseHeader { return ResponseHeader{call: c, trailer: true} }

// Set replaces the values of key.
func (h ResponseHeader) Set(key, value string) error {
	return h.record(driver.Header{Key: key, Value: value, Op: driver.Set})
}

// Add appends a value to key.
func (h ResponseHeader) Add(key, value string) error {
	return h.record(driver.Header{Key: key, Value: value, Op: driver.Add})
}

// SetDefault sets key only if nobody else has set it by the time the response is
// committed. Values of Vary are merged with those that are there.
func (h ResponseHeader) SetDefault(key, value string) error {
	return h.record(driver.Header{Key: key, Value: value, Op: driver.Default})
}

// Del removes what hooks have set for key so far, and over HTTP also what the
// handler has set.
func (h ResponseHeader) Del(key string) error {
	return h.record(driver.Header{Key: key, Op: driver.Del})
}

func (h ResponseHeader) record(op driver.Header) error {
	c := h.call
	if c == nil {
		return nil
	}
	if !validHeaderKey(op.Key) {
		return misusef("response header key %q is not a valid HTTP field name", op.Key)
	}
	if !validHeaderValue(op.Value) {
		return misusef("the value for response header %q contains a control character", op.Key)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended.Load() || c.committed && !h.trailer {
		return ErrCommitted
	}
	if c.wire != nil {
		if err := c.wire.HeaderChanged(op, h.trailer); err != nil {
			return err
		}
	}
	if h.trailer {
		rare := c.rareLocked()
		rare.trailers = append(rare.trailers, op)
	} else {
		n := c.notesLocked()
		n.headers = append(n.headers, op)
	}
	return nil
}

// headerValues returns what hooks have set for key, for calls without a server.
func headerValues(ops []driver.Header, key string) []string {
	var values []string
	for _, op := range ops {
		if !strings.EqualFold(op.Key, key) {
			continue
		}
		switch op.Op {
		case driver.Set:
			values = []string{op.Value}
		case driver.Add:
			values = append(values, op.Value)
		case driver.Default:
			if len(values) == 0 || strings.EqualFold(key, "Vary") {
				values = append(values, op.Value)
			}
		case driver.Del:
			values = nil
		}
	}
	return values
}

// Values returns what hooks have set for key on this call so far, without what
// the handler set.
func (h ResponseHeader) Values(key string) []string {
	if h.call == nil {
		return nil
	}
	return headerValues(h.call.headerOps(h.trailer), key)
}

// validHeaderKey tells whether key is a token of RFC 9110 section 5.6.2.
func validHeaderKey(key string) bool {
	for i := range len(key) {
		b := key[i]
		letter := 'a' <= b|0x20 && b|0x20 <= 'z'
		digit := '0' <= b && b <= '9'
		if !letter && !digit && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return false
		}
	}
	return key != ""
}

// validHeaderValue refuses the control characters that RFC 9110 section 5.5
// forbids, line breaks above all.
func validHeaderValue(value string) bool {
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
