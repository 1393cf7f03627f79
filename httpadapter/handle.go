package httpadapter

import (
	"context"
	"net/http"
	"time"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// match is what a route was found by. Between the decision and the handler run
// the user's hooks, so it is compared again before a router looks a second time.
type match struct {
	method, host, path, rawPath string
	pattern                     string // what a bare ServeMux must match again
}

func matchOf(r *http.Request, pattern string) *match {
	return &match{method: r.Method, host: r.Host, path: r.URL.Path, rawPath: r.URL.RawPath, pattern: pattern}
}

// holds tells whether r would be routed as before.
func (m *match) holds(r *http.Request) bool {
	return m == nil || m.method == r.Method && m.host == r.Host && m.path == r.URL.Path && m.rawPath == r.URL.RawPath
}

// ran tells whether the mux that was given r ran what it had matched before. A
// mux that found nothing has run no code of the user's.
func (m *match) ran(r *http.Request) bool {
	return m == nil || m.pattern == "" || r.Pattern == "" || r.Pattern == m.pattern
}

// runPlain decides about a plain route and runs its handler.
func (x *exchange) runPlain(m *interceptor.Method, path string, h http.Handler, w http.ResponseWriter, r *http.Request) {
	x.req = r
	if x.kind == driver.GRPC {
		x.refuse(ops.Misuse("the request began as gRPC but reached the plain route " + m.Name() + "; hooks must not change what routing depends on"))
		return
	}
	if !ops.Resolve(&x.call, m, path) {
		x.Refuse()
		return
	}
	x.handler, x.target = h, w
	x.settle(ops.Handle(&x.call, ops.Inner(&x.call)))
}

// runLayer hands the request to a handler that resolves the method by itself.
func (x *exchange) runLayer(h http.Handler, w http.ResponseWriter, r *http.Request) {
	x.req = r
	if server, ok := h.(httpwire.GRPCServer); ok && server.ServesGRPC(r) != (x.kind == driver.GRPC) {
		x.refuse(ops.Misuse("the request does not reach the handler that it was bound for when the call began; hooks must not change what routing depends on"))
		return
	} else if own, ok := h.(httpwire.Renderer); ok && x.kind == driver.HTTP {
		x.renderer = own
	}
	h.ServeHTTP(w, r)
}

// Invoke runs the plain handler that the call was decided for.
func (x *exchange) Invoke(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = ops.Panicked(v)
		}
	}()
	r := x.withContext(ctx)
	if x.req = r; !x.match.holds(r) {
		return ops.Misuse("the request was changed between the decision for " + x.call.Method().Name() + " and its handler; hooks must not change method, host or path")
	}
	x.ran = true
	if f, ok := x.handler.(HandlerFunc); ok {
		err = f(x.target, r)
	} else {
		x.handler.ServeHTTP(x.target, r)
	}
	if !x.match.ran(r) {
		return ops.Misuse("the call was decided for " + x.match.pattern + " but the mux ran " + r.Pattern + "; register all patterns before serving")
	}
	if err = x.takeNoted(err); err == nil && x.status >= http.StatusBadRequest {
		err = ops.Failed(&x.call) // a status that the handler wrote itself, or that of a hook's refusal
	}
	return err
}

// withContext returns the request for the handler: the one that reached its
// route, with what hooks have added to the context since.
func (x *exchange) withContext(ctx context.Context) *http.Request {
	r := x.req
	switch between := r.Context(); {
	case between == x.handed && ctx == x.handed:
		return r
	case between == x.handed:
		return r.WithContext(ctx)
	case ctx == x.handed:
		return r // a handler on the way has derived its own
	default:
		return r.WithContext(x.join(ctx, between))
	}
}

// join returns a context with the values of the hooks' context and then of the
// one that handlers on the way have made, which ends with the first of them.
func (x *exchange) join(hooks, between context.Context) context.Context {
	merged, cancel := context.WithCancelCause(hooks)
	stop := context.AfterFunc(between, func() { cancel(context.Cause(between)) })
	x.call.Defer(func() {
		stop()
		cancel(nil)
	})
	return &joined{merged, between}
}

type joined struct {
	context.Context
	between context.Context
}

// Deadline is the earlier one of the two.
func (c *joined) Deadline() (time.Time, bool) {
	own, ok := c.Context.Deadline()
	other, has := c.between.Deadline()
	if !ok || has && other.Before(own) {
		return other, has
	}
	return own, ok
}

func (c *joined) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.between.Value(key)
}
