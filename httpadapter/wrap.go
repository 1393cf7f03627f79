package httpadapter

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// wholeHandler is the method of a handler that cannot be looked into.
const wholeHandler = "*"

// Wrap returns handler inside the stack. Which method a request is depends on
// the handler:
//
//   - a layer of the same stack (a [Mux], a gateway, a gRPC server) resolves it by
//     itself;
//   - a bare http.ServeMux is asked for its match, and the method is named by the
//     pattern; its 404, 405 and redirects are no routes;
//   - for a foreign router, [Routes] names it;
//   - anything else is the one method "*".
//
// Dot segments under a pattern for the rest of the path are refused as a [Mux] does.
//
// Wrap looks through [StripPrefix] and through handlers with a method
// Inner(*http.Request) (http.Handler, *http.Request) that returns the handler
// which they pass the request on to, and the request as that one will get it.
//
// It panics on a nil stack or handler. Routes that a hook refuses answer INTERNAL.
func Wrap(stack *interceptor.Stack, handler http.Handler, opts ...Option) http.Handler {
	if stack == nil {
		panic("httpadapter: Wrap with a nil stack; pass interceptor.MustNew() for a stack without hooks")
	}
	if handler == nil {
		panic("httpadapter: Wrap with a nil handler; pass the handler to run inside the stack")
	}
	h := &wrapped{common: config{stack: stack}, handler: handler, whole: ops.NewRoute(wholeHandler)}
	h.common.front = h
	for _, o := range opts {
		o.applyToWrapped(h)
	}
	h.layer = resolves(handler, stack)
	h.common.grpc.Store(mayServeGRPC(handler))
	return h
}

// Middleware returns [Wrap] with the handler still missing, for routers that
// take their middleware so.
func Middleware(stack *interceptor.Stack, opts ...Option) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return Wrap(stack, next, opts...) }
}

// wrapped is a handler inside a stack.
type wrapped struct {
	common  config
	handler http.Handler
	routes  func(*http.Request) (string, bool)
	whole   *interceptor.Method
	layer   bool

	mu    sync.Mutex // serialises additions to named
	named atomic.Pointer[map[string]*interceptor.Method]
}

var (
	_ front             = (*wrapped)(nil)
	_ httpwire.Resolver = (*wrapped)(nil)
	_ httpwire.Inner    = (*wrapped)(nil)
)

// ServeHTTP answers r as one call, or as part of the call of an outer layer.
func (h *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if x := running(r.Context(), h.common.stack); x != nil {
		h.dispatch(x, w, r)
		return
	}
	serve(&h.common, w, r)
}

func (h *wrapped) config() *config { return &h.common }

// ready has nothing to check ahead: routes become known when they are called,
// and a route that is refused then is closed.
func (h *wrapped) ready() error { return nil }

// ResolvesFor tells outer layers that the methods of the stack's calls are
// resolved here.
func (h *wrapped) ResolvesFor(stack any) bool { return resolvesFor(h.common.stack, stack) }

// Inner returns the handler inside.
func (h *wrapped) Inner(r *http.Request) (http.Handler, *http.Request) { return h.handler, r }

// Check reports what keeps the handler from serving, as far as it can be known
// before the first request.
func (h *wrapped) Check() error {
	if err := check(h.handler); err != nil || h.layer || !h.isWhole() {
		return err
	}
	if err := ops.Prepare(h.common.stack, h.whole, driver.HTTP); err != nil {
		return fmt.Errorf("httpadapter: the wrapped %T, which is the method %q: %w", h.handler, wholeHandler, err)
	}
	return nil
}

// Routes returns the methods that are known so far.
func (h *wrapped) Routes() []*interceptor.Method {
	if h.layer {
		return routesOf(h.handler)
	}
	if h.isWhole() {
		return []*interceptor.Method{h.whole}
	}
	var all []*interceptor.Method
	if named := h.named.Load(); named != nil {
		for _, m := range *named {
			all = append(all, m)
		}
	}
	return all
}

// isWhole tells whether every request is the method "*".
func (h *wrapped) isWhole() bool {
	_, isMux := h.handler.(*http.ServeMux)
	_, looksInside := h.handler.(httpwire.Inner)
	return h.routes == nil && !isMux && !looksInside
}

func (h *wrapped) dispatch(x *exchange, w http.ResponseWriter, r *http.Request) {
	if h.layer {
		x.runLayer(h.handler, w, r)
		return
	}
	if h.isWhole() {
		x.runPlain(h.whole, "", h.handler, w, r)
		return
	}
	t := h.find(r)
	switch {
	case t.layer:
		x.runLayer(h.handler, w, r)
	case t.unmatched != nil:
		x.req = r
		t.unmatched.ServeHTTP(w, t.request)
	default:
		m := h.whole
		if t.pattern != "" {
			m = h.methodNamed(t.pattern)
		}
		x.match = matchOf(r, h.again(t.pattern))
		if takesRest(t.pattern) && httpwire.HasDotSegment(r.URL.Path) {
			x.req = r
			x.refuse(errDotSegment)
			return
		}
		if m == nil {
			x.refuse(ops.Misuse("the function given to Routes has returned more than 4096 different names; it must return registered patterns, not paths"))
			return
		}
		x.runPlain(m, routeOf(m.Name()), h.handler, w, r)
	}
}

// again returns the pattern that the handler will be seen to match, which a bare
// ServeMux notes in the request.
func (h *wrapped) again(pattern string) string {
	if _, ok := h.handler.(*http.ServeMux); ok && h.routes == nil {
		return pattern
	}
	return ""
}

// target is what a request reaches.
type target struct {
	layer     bool          // a layer resolves it
	unmatched http.Handler  // no route: this answers
	request   *http.Request // as unmatched gets it
	pattern   string        // the route's name, "" for the whole handler
}

// find asks the handler, or whoever knows it, what r reaches.
func (h *wrapped) find(r *http.Request) target {
	if h.routes != nil {
		pattern, ok := h.routes(r)
		if !ok {
			pattern = ""
		}
		return target{pattern: pattern}
	}
	next, ownCode := h.handler, false
	for range maxDepth {
		if resolves(next, h.common.stack) {
			return target{layer: true}
		}
		switch t := next.(type) {
		case *http.ServeMux:
			return h.findIn(t, r, ownCode)
		case *stripped:
			inner, short := t.Inner(r)
			if inner == nil {
				return target{unmatched: http.NotFoundHandler(), request: r}
			}
			next, r = inner, short
		case httpwire.Inner:
			ownCode = true
			if next, r = t.Inner(r); next == nil {
				return target{}
			}
		default:
			return target{}
		}
	}
	return target{}
}

// findIn asks a bare ServeMux. What it answers by itself runs as it was found,
// without a second look: a pattern registered in between must not run undecided.
// With the user's own code around the mux, that code must run, and is decided as
// the whole handler.
func (h *wrapped) findIn(mux *http.ServeMux, r *http.Request, ownCode bool) target {
	found, pattern := mux.Handler(r)
	if r.RequestURI == wholeHandler {
		found, pattern = badRequest, "" // as ServeMux.ServeHTTP, which does not match here
	}
	switch {
	case pattern == "" || isOwnRedirect(mux, r, found):
		if ownCode {
			return target{}
		}
		return target{unmatched: found, request: r}
	case leadsToLayer(found, r, h.common.stack):
		return target{layer: true}
	}
	return target{pattern: pattern}
}

// badRequest is what a ServeMux answers to a request for "*".
var badRequest = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.ProtoAtLeast(1, 1) {
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(http.StatusBadRequest)
})

var redirectType = reflect.TypeOf(http.RedirectHandler("/", http.StatusFound))

// isOwnRedirect tells whether the mux made the redirect itself, for which it
// returns the pattern of the target. It makes a new one each time, while one that
// the user registered as a route stays the same.
func isOwnRedirect(mux *http.ServeMux, r *http.Request, found http.Handler) bool {
	if reflect.TypeOf(found) != redirectType {
		return false
	}
	again, _ := mux.Handler(r)
	return again != found
}

// maxNames bounds the methods that Routes can name. Patterns are registered, so
// there are few; a function that returns what clients send would fill the memory.
const maxNames = 4096

// methodNamed returns the method of a pattern, the same each time, or nil for
// too many.
func (h *wrapped) methodNamed(pattern string) *interceptor.Method {
	if named := h.named.Load(); named != nil {
		if m := (*named)[pattern]; m != nil {
			return m
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	next := map[string]*interceptor.Method{}
	if named := h.named.Load(); named != nil {
		if m := (*named)[pattern]; m != nil {
			return m
		}
		if len(*named) >= maxNames {
			return nil
		}
		next = maps.Clone(*named)
	}
	m := ops.NewRoute(pattern)
	next[pattern] = m
	h.named.Store(&next)
	return m
}
