package interceptortest

import (
	"context"
	"net/http"
	"sync"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// NewCall returns a call for unit tests, without a server, and the context that
// carries it: interceptor.CallFrom finds the call in it, and a phase must return
// it or one derived from it. The default is a gRPC call without headers whose
// method is not resolved.
//
// A test can call the phases of a hook by itself, and then look at the call's
// keys and response headers:
//
//	call, ctx := interceptortest.NewCall(interceptortest.WithHeader("X-Tenant", "acme"))
//	_, err := hook.BeforeRequest(ctx, call)
//
// What a reply or an error leads to, and the order of several hooks, only a
// whole call shows: give the hooks with [WithHooks] and run it with [RunPhases],
// or over real transports with [Each].
//
// NewCall panics if the hooks make no stack.
func NewCall(opts ...CallOption) (*interceptor.Call, context.Context) {
	w := &wire{kind: driver.GRPC, header: http.Header{}, parent: context.Background()}
	for _, o := range opts {
		o.apply(w)
	}
	stack := interceptor.MustNew(w.hooks...).ReportTo(w.report)
	call := new(interceptor.Call)
	ctx := ops.Begin(call, stack, w.parent, w)
	if w.method != nil && len(w.hooks) == 0 {
		ops.Request(call)
		ops.Resolve(call, w.method, w.route)
	}
	return call, ctx
}

// CallOption says what [NewCall] should make.
type CallOption interface{ apply(*wire) }

type callOption func(*wire)

func (f callOption) apply(w *wire) { f(w) }

// WithHooks gives the hooks of the call, for [RunPhases]; by default it has none.
// Repeating it adds hooks further in.
func WithHooks(hooks ...interceptor.Hook) CallOption {
	return callOption(func(w *wire) { w.hooks = append(w.hooks, hooks...) })
}

// WithMethod gives the method of the call and the route it matched, "" on gRPC.
// Without hooks the method is resolved at once; with hooks [RunPhases] resolves
// it. Repeating it replaces the method.
func WithMethod(method *interceptor.Method, route string) CallOption {
	return callOption(func(w *wire) { w.method, w.route = method, route })
}

// WithMessage gives the request message that [RunPhases] hands to OnReceive. The
// default is a message without fields set. Plain routes have none.
func WithMessage(message any) CallOption {
	return callOption(func(w *wire) { w.message = message })
}

// WithHeader adds values to a request header. Keys are case-insensitive.
func WithHeader(key string, values ...string) CallOption {
	return callOption(func(w *wire) {
		for _, v := range values {
			w.header.Add(key, v)
		}
	})
}

// WithAuthority gives the host that the client asks for.
func WithAuthority(authority string) CallOption {
	return callOption(func(w *wire) { w.authority = authority })
}

// WithHTTP makes the call an HTTP request with this verb and path. The default is
// gRPC, whose path is the name of the method. Repeating it replaces them.
func WithHTTP(verb, path string) CallOption {
	return callOption(func(w *wire) { w.kind, w.verb, w.path = driver.HTTP, verb, path })
}

// WithPeer tells who sent the call; with a TLS state its scheme is https. By
// default nothing is known.
func WithPeer(peer interceptor.Peer) CallOption {
	return callOption(func(w *wire) { w.peer = driver.Peer{Remote: peer.Addr, Local: peer.LocalAddr, TLS: peer.TLS} })
}

// WithContext gives the context of the transport, such as one with a deadline.
// The default is context.Background.
func WithContext(parent context.Context) CallOption {
	return callOption(func(w *wire) { w.parent = parent })
}

// wire is the adapter's half of a call that has no transport.
type wire struct {
	kind      driver.Kind
	authority string
	verb      string
	path      string
	peer      driver.Peer

	hooks   []interceptor.Hook
	method  *interceptor.Method
	route   string
	message any
	parent  context.Context

	invoke  func(ctx context.Context) error
	reached bool

	mu      sync.Mutex // guards what follows
	header  http.Header
	reports []error
}

var _ driver.Transport = (*wire)(nil)

func (w *wire) report(_ context.Context, _ *interceptor.Call, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, err)
}

// Kind is gRPC unless WithHTTP was given.
func (w *wire) Kind() driver.Kind { return w.kind }

// Protocol is that of the transport by default.
func (w *wire) Protocol() string {
	if w.kind == driver.HTTP {
		return "1.1"
	}
	return "2"
}

// Path is the one of WithHTTP, or the method's name.
func (w *wire) Path() string {
	if w.kind == driver.GRPC {
		return w.method.Name()
	}
	return w.path
}

// Authority is the one of WithAuthority.
func (w *wire) Authority() string { return w.authority }

// Scheme tells whether the peer has TLS.
func (w *wire) Scheme() string {
	if w.peer.TLS != nil {
		return "https"
	}
	return "http"
}

// HTTPMethod is the one of WithHTTP.
func (w *wire) HTTPMethod() string { return w.verb }

// Peer is the one of WithPeer.
func (w *wire) Peer() driver.Peer { return w.peer }

// RequestHeader returns the values given by WithHeader.
func (w *wire) RequestHeader(key string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.header.Values(key)
}

// DeleteRequestHeader hides a key.
func (w *wire) DeleteRequestHeader(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.header.Del(key)
}

// HeaderChanged accepts what the core accepts.
func (w *wire) HeaderChanged(driver.Header, bool) error { return nil }

// Invoke runs the handler of RunPhases.
func (w *wire) Invoke(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = ops.Panicked(v)
		}
	}()
	return w.invoke(ctx)
}

// Encode accepts every message: nothing is sent.
func (w *wire) Encode(any) error { return nil }
