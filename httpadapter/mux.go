package httpadapter

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// Mux is a request multiplexer whose calls run the hooks of a stack. Patterns and
// precedence are those of http.ServeMux. Every handler is wrapped when it is
// registered: BeforeHandler runs for the very pattern that was matched, and the
// mux's own 404, 405 and redirects are no routes.
//
// A handler that is itself a layer of the same stack (another Mux, a wrapped
// handler, a gateway, a gRPC server, any of them behind [StripPrefix]) resolves
// the method by itself. Any other handler, a foreign router too, is one method
// named by its pattern.
//
// A path with a percent-encoded dot segment under a pattern for the rest of the path
// ("/files/{name...}", "/files/") is answered 400, as a gateway answers it, and its
// handler does not run: whatever resolves that path next, a proxy's backend above all,
// would leave the place that was decided about.
//
// A Mux is safe for concurrent use. Make it with [NewMux].
type Mux struct {
	common config
	mux    http.ServeMux
	passed atomic.Bool // Check has found nothing

	mu     sync.Mutex
	routes []*route
}

var (
	_ front             = (*Mux)(nil)
	_ httpwire.Resolver = (*Mux)(nil)
	_ httpwire.Inner    = (*Mux)(nil)
)

// NewMux returns a mux whose calls run the hooks of stack. It panics on a nil
// stack.
func NewMux(stack *interceptor.Stack, opts ...MuxOption) *Mux {
	if stack == nil {
		panic("httpadapter: NewMux with a nil stack; pass interceptor.MustNew() for a stack without hooks")
	}
	m := &Mux{common: config{stack: stack}}
	m.common.front = m
	for _, o := range opts {
		o.applyToMux(m)
	}
	return m
}

// Handle registers the handler for a pattern of http.ServeMux. The pattern is the
// name of the route's method. Handle panics as http.ServeMux does: on an invalid
// pattern, one that conflicts with another, and a nil handler.
//
// Routes are normally registered before serving. One that comes later is checked
// when it is first called, and closed if a hook refuses it.
func (m *Mux) Handle(pattern string, handler http.Handler) {
	if handler == nil {
		panic("httpadapter: Handle(" + pattern + ", nil): pass the handler to run")
	}
	rt := &route{mux: m, handler: handler, method: ops.NewRoute(pattern), path: routeOf(pattern)}
	rt.layer = resolves(handler, m.common.stack)
	_, rt.looksInside = handler.(httpwire.Inner)
	rt.tail = takesRest(pattern)
	m.mux.Handle(pattern, rt)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.routes = append(m.routes, rt)
	if mayServeGRPC(handler) {
		m.common.grpc.Store(true)
	}
}

// HandleFunc registers the handler function for a pattern, as [Mux.Handle] does.
func (m *Mux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	if handler == nil {
		panic("httpadapter: HandleFunc(" + pattern + ", nil): pass the function to run")
	}
	m.Handle(pattern, http.HandlerFunc(handler))
}

// ServeHTTP answers r as one call of the stack, or as part of the call that an
// outer layer of the same stack has begun.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if x := running(r.Context(), m.common.stack); x != nil {
		m.dispatch(x, w, r)
		return
	}
	serve(&m.common, w, r)
}

// Routes returns the methods of the plain routes in the order of registration,
// with those of layers mounted under a pattern in its place.
func (m *Mux) Routes() []*interceptor.Method {
	var all []*interceptor.Method
	for _, rt := range m.registered() {
		if rt.layer {
			all = append(all, routesOf(rt.handler)...)
		} else {
			all = append(all, rt.method)
		}
	}
	return all
}

// Check reports, all at once, what keeps the mux from serving: routes that a hook
// of the stack refuses, and what the layers mounted in it report. Call it after
// the routes are registered and before serving. Without that the first request
// does, and every request answers INTERNAL until it passes.
func (m *Mux) Check() error {
	var problems []error
	for _, rt := range m.registered() {
		if err := check(rt.handler); err != nil {
			problems = append(problems, err)
		}
		if rt.layer {
			continue
		}
		if err := ops.Prepare(m.common.stack, rt.method, driver.HTTP); err != nil {
			problems = append(problems, fmt.Errorf("httpadapter: route %q: %w", rt.method.Name(), err))
		}
	}
	return errors.Join(problems...)
}

func (m *Mux) registered() []*route {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.routes[:len(m.routes):len(m.routes)]
}

func (m *Mux) config() *config { return &m.common }

func (m *Mux) ready() error {
	if m.passed.Load() {
		return nil
	}
	err := m.Check()
	if err == nil {
		m.passed.Store(true)
	}
	return err
}

func (m *Mux) dispatch(_ *exchange, w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// ResolvesFor tells outer layers that the mux finds the methods of its stack's
// calls by itself.
func (m *Mux) ResolvesFor(stack any) bool { return resolvesFor(m.common.stack, stack) }

// Inner returns the handler registered for r, or nil where the mux answers by
// itself. It is for layers around the mux.
func (m *Mux) Inner(r *http.Request) (http.Handler, *http.Request) {
	h, _ := m.mux.Handler(r)
	if rt, ok := h.(*route); ok {
		return rt.handler, r
	}
	return nil, r
}

// route is a pattern of a Mux. The mux calls it after the match, so nothing can
// come between the decision and the handler.
type route struct {
	mux         *Mux
	handler     http.Handler
	method      *interceptor.Method
	path        string // the pattern without method and host
	layer       bool   // resolves by itself
	looksInside bool   // whether it does can depend on the request
	tail        bool   // matches the rest of the path, whatever it is
}

// ServeHTTP runs the route within the call that the mux began or found.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchangeOf(r.Context()) // only Mux.dispatch leads here, with a call that runs
	if rt.layer || rt.looksInside && leadsToLayer(rt.handler, r, rt.mux.common.stack) {
		x.runLayer(rt.handler, w, r)
		return
	}
	if rt.tail && httpwire.HasDotSegment(r.URL.Path) {
		x.req = r
		x.refuse(errDotSegment)
		return
	}
	x.runPlain(rt.method, rt.path, rt.handler, w, r)
}

// errDotSegment refuses a path that a pattern for several segments would hand to the
// handler with segments that lead out of it. http.ServeMux redirects them unless they
// are percent-encoded.
var errDotSegment = interceptor.NewError(codes.InvalidArgument, "the path has a dot segment")

// takesRest tells whether a pattern matches any number of further segments: "/files/"
// and "/files/{name...}" of http.ServeMux, "/files/*" and "/files/*name" of routers that
// [Routes] speaks for.
func takesRest(pattern string) bool {
	return strings.HasSuffix(pattern, "/") || strings.HasSuffix(pattern, "...}") || strings.Contains(pattern, "/*")
}

// routeOf returns a pattern without method and host.
func routeOf(pattern string) string {
	if slash := strings.IndexByte(pattern, '/'); slash > 0 {
		return pattern[slash:]
	} else if slash < 0 {
		return ""
	}
	return pattern
}

func resolvesFor(own *interceptor.Stack, stack any) bool {
	s, ok := stack.(*interceptor.Stack)
	return ok && s == own
}

// check returns what a handler that can be checked reports.
func check(h http.Handler) error {
	if c, ok := h.(interface{ Check() error }); ok {
		return c.Check()
	}
	return nil
}

// routesOf returns the plain routes of a handler that lists them.
func routesOf(h http.Handler) []*interceptor.Method {
	if l, ok := h.(interface{ Routes() []*interceptor.Method }); ok {
		return l.Routes()
	}
	return nil
}
