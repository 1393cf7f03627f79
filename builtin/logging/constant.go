package logging

import (
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/crosscut-go/crosscut/interceptor"
)

// constants are the attributes that all calls of one method have which came the
// same way. The handler gets them once, with WithAttrs, so that it formats them
// once: they begin every record.
type constants struct {
	out    slog.Handler
	method string

	mu   sync.Mutex // serialises additions
	made atomic.Pointer[[]constant]
}

// constant is a handler that begins its records with what calls of one way have.
type constant struct {
	way way
	out slog.Handler
}

// way is how a call came. There are few for a method: its routes are those that
// were registered, and methods of HTTP that nobody knows are one.
type way struct {
	transport   interceptor.Transport
	route, verb string
}

// constantsTo returns what finds the constants of a method.
func constantsTo(out slog.Handler) func(*interceptor.Method) *constants {
	return interceptor.PerMethod(func(m *interceptor.Method) *constants {
		name := m.Name()
		if name == "" {
			name = "unknown" // never what the client asked for: names come from registration
		}
		return &constants{out: out, method: name}
	})
}

// handler returns the handler for records of calls that came as this one.
func (c *constants) handler(call *interceptor.Call) slog.Handler {
	w := way{transport: call.Transport()}
	if w.transport == interceptor.HTTP {
		w.route, w.verb = call.Route(), standard(call.HTTPMethod())
	}
	if h, ok := c.find(w); ok {
		return h
	}
	return c.add(w)
}

// find looks at one after the other: most methods have one way.
func (c *constants) find(w way) (slog.Handler, bool) {
	if made := c.made.Load(); made != nil {
		for _, one := range *made {
			if one.way == w {
				return one.out, true
			}
		}
	}
	return nil, false
}

func (c *constants) add(w way) slog.Handler {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.find(w); ok {
		return h // another call was here first
	}
	var known []constant
	if made := c.made.Load(); made != nil {
		known = *made
	}
	attrs := []slog.Attr{slog.String("method", c.method), slog.String("transport", w.transport.String())}
	if w.route != "" {
		attrs = append(attrs, slog.String("route", w.route))
	}
	if w.verb != "" {
		attrs = append(attrs, slog.String("http_method", w.verb))
	}
	h := c.out.WithAttrs(attrs)
	next := append(slices.Clip(known), constant{w, h}) // others read what is there
	c.made.Store(&next)
	return h
}

// standard keeps clients from inventing values of http_method.
func standard(method string) string {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}
