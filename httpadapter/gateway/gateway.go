package gateway

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// Handler is an http.Handler that serves REST through grpc-gateway under a stack
// of hooks. It works as a server's handler and below httpadapter.NewMux of the
// same stack, where the two are one layer of one call. Register generated
// handlers on [Handler.Mux] before serving; after that a Handler is safe for
// concurrent use.
type Handler struct {
	stack *interceptor.Stack
	conn  grpc.ClientConnInterface
	binds []bind

	entry  http.Handler      // the stack around a layer
	mux    *runtime.ServeMux // serves
	shadow *runtime.ServeMux // the user's options alone: writes errors as they ask

	ready atomic.Pointer[table] // nil until Check has passed
	mu    sync.Mutex            // serialises Check and guards plain
	plain map[string]*binding   // routes without an RPC, by tableKey
}

var (
	_ http.Handler      = (*Handler)(nil)
	_ httpwire.Resolver = (*Handler)(nil)
	_ httpwire.Renderer = (*Handler)(nil)
)

// New returns a gateway whose calls run the hooks of stack. conn is the
// connection that generated handlers are registered with, normally Conn() of a
// grpcadapter.Server with the same stack: its services say which method a route
// runs, and over it the RPC continues the REST call.
//
// With another connection the methods are those of all services linked into the
// program, the RPC is not part of the call (hooks at the other end are calls of
// their own), and if the stack has a MessageHook or a HandlerHook effective on a
// method, that method answers INTERNAL because those hooks could not run.
//
// New panics on a nil stack. Everything else that can be wrong is found by
// [Handler.Check], since services may be registered after New.
func New(stack *interceptor.Stack, conn grpc.ClientConnInterface, opts ...Option) *Handler {
	if stack == nil {
		panic("gateway: New with a nil stack; pass interceptor.MustNew() for a stack without hooks")
	}
	var s settings
	for _, o := range opts {
		o.apply(&s)
	}
	g := &Handler{stack: stack, conn: conn, binds: s.binds, plain: map[string]*binding{}}
	// The shadow comes first, so that an option that keeps the mux it is applied
	// to ends up with the one that serves.
	g.shadow = runtime.NewServeMux(s.mux...)
	g.mux = runtime.NewServeMux(g.muxOptions(s.mux)...)
	g.entry = httpadapter.Wrap(stack, layer{g})
	return g
}

// muxOptions puts the gateway's own options around the user's: first what must
// be outermost or may be replaced, last what must not.
func (g *Handler) muxOptions(user []runtime.ServeMuxOption) []runtime.ServeMuxOption {
	all := []runtime.ServeMuxOption{
		runtime.WithMiddlewares(g.decide),
		runtime.WithRoutingErrorHandler(routingError),
	}
	all = append(all, user...)
	return append(all,
		runtime.WithErrorHandler(g.handleError),
		runtime.WithStreamErrorHandler(g.handleStreamError),
		runtime.WithMetadata(g.annotate),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
	)
}

// Mux returns the gateway's mux, for generated handlers:
//
//	pb.RegisterBooksHandlerClient(ctx, gw.Mux(), pb.NewBooksClient(srv.Conn()))
//
// Serve the Handler, not the mux: requests that reach the mux any other way
// answer INTERNAL without running a handler.
func (g *Handler) Mux() *runtime.ServeMux { return g.mux }

// ServeHTTP answers r as one call of the stack, or as part of the call that an
// outer layer of the same stack began.
func (g *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.entry.ServeHTTP(w, r) }

// Check reports, all at once, what keeps the gateway from serving: a [Bind] that
// names no served RPC or has a bad template, an annotation the gateway cannot
// match, and methods a hook refuses. Call it after the services are registered
// and before serving. Without that the first request does, and every request
// answers INTERNAL until it passes.
func (g *Handler) Check() error {
	if g.ready.Load() != nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ready.Load() != nil {
		return nil
	}
	methods, guess := methodsOf(g.conn)
	t, err := newTable(methods, guess, g.binds)
	if err == nil {
		err = t.prepare(g.stack)
	}
	if err == nil {
		g.ready.Store(&t)
	}
	return err
}

// ResolvesFor tells an outer layer that the gateway finds the method of a call
// of stack by itself. It is for package httpadapter.
func (g *Handler) ResolvesFor(stack any) bool { return layer{g}.ResolvesFor(stack) }

// RenderError writes err with the gateway's marshaler for r. It is for package
// httpadapter, which calls it for refusals before routing.
func (g *Handler) RenderError(w http.ResponseWriter, r *http.Request, err error) {
	layer{g}.RenderError(w, r, err)
}
