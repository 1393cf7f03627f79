package gateway

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// decide is the outermost middleware of the mux. The mux has matched and decoded
// nothing: here the method is known and BeforeHandler runs. runtime.ServeMux
// wraps every registered handler on its own, so what a handler's first request
// found out holds for all of them.
func (g *Handler) decide(next runtime.HandlerFunc) runtime.HandlerFunc {
	var known atomic.Pointer[binding]
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		call, x := g.callOf(r.Context())
		if call == nil || g.ready.Load() == nil {
			g.refuseAround(w, r, call)
			return
		}
		b := known.Load()
		if b == nil {
			b = g.lookup(r)
			known.Store(b)
		}
		g.run(w, r, call, x, b, func(r *http.Request) { next(w, r, params) })
	}
}

// run decides about the call and, if nothing stands against it, runs the handler
// that the mux matched.
func (g *Handler) run(w http.ResponseWriter, r *http.Request, call *interceptor.Call, x httpwire.Exchange, b *binding, next func(*http.Request)) {
	defer g.recoverAbort(w, r)
	if b.rival != nil {
		g.abort(call, "both "+b.method.Name()+" and "+b.rival.Name()+" are bound to "+b.verb+" "+b.route+
			"; say which of them the gateway runs with gateway.Bind")
	}
	before := ops.Inner(call)
	if !ops.Resolve(call, b.method, b.route) {
		if _, isHTTP := ops.Answered(call).(*driver.HTTPReply); isHTTP || ops.Failed(call) != nil {
			x.Refuse()
			return
		}
		r = withoutBody(r) // the reply needs no request, so nobody waits for one
	}
	d := dispatchOf(call)
	if d.binding == nil {
		d.binding = b
	}
	ctx := r.Context()
	if after := ops.Inner(call); after != before {
		ctx = &withHooks{after, ctx}
	}
	if k := b.method.Kind(); k == interceptor.ServerStream || k == interceptor.BidiStream {
		d.w = w
		ctx, d.cancel = context.WithCancelCause(ctx)
		defer d.cancel(nil)
	}
	if ctx != r.Context() {
		r = r.WithContext(ctx)
	}
	next(r)
}

// lookup finds what the request's match runs.
func (g *Handler) lookup(r *http.Request) *binding {
	pattern := ""
	if p, ok := runtime.HTTPPattern(r.Context()); ok {
		pattern = p.String()
	}
	key := tableKey(r.Method, pattern)
	if b := (*g.ready.Load())[key]; b != nil {
		return b
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.plain[key]
	if b == nil {
		route := asWritten(pattern)
		b = &binding{verb: r.Method, route: route, method: ops.NewRoute(r.Method + " " + route), custom: true}
		g.plain[key] = b
	}
	return b
}

// refuseAround answers a request that reached the mux around the Handler: it was
// not hardened, and without a call no hook has seen it.
func (g *Handler) refuseAround(w http.ResponseWriter, r *http.Request, call *interceptor.Call) {
	defer g.recoverAbort(w, r)
	g.abort(call, "a request reached the gateway's mux around its Handler; serve the gateway.Handler itself instead of its Mux()")
}

// withoutBody returns r with an empty body.
func withoutBody(r *http.Request) *http.Request {
	r = r.WithContext(r.Context()) // a copy; net/http looks at the body of the original
	r.Body, r.ContentLength = http.NoBody, 0
	return r
}
