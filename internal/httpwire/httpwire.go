// Package httpwire is how the layers that answer HTTP requests (httpadapter, the
// gateway, a mounted gRPC server) work on one call together. Package httpadapter
// begins and ends every call that arrives over HTTP; the layers below it find
// that call in the request's context and its [Exchange] with Ops.Transport.
package httpwire

import (
	"net/http"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// Exchange is httpadapter's half of a call: one request and its response.
type Exchange interface {
	driver.Transport
	// Request returns the request as the stack handed it on.
	Request() *http.Request
	// SetRequest records the request as a layer hands it on, when it made a copy
	// with headers of its own: hooks that hide a header hide it there as well.
	SetRequest(r *http.Request)
	// Refuse writes the answer that stands (the failure, or an HTTP reply)
	// instead of the handler's, running BeforeResponse first. Layers call it when
	// Resolve or Fail told them to stop. Repeating it does nothing.
	Refuse()
	// SetRenderer makes r write the errors of this call from here on: the layer
	// that matched knows the caller's format.
	SetRenderer(r Renderer)
	// BeforeEnd has f run after the handler has returned and before the outcome
	// becomes final. A layer that dispatched to another goroutine cancels it and
	// waits for it there.
	BeforeEnd(f func())
}

// Renderer writes the error a client gets. Handlers that are layers implement
// it, so that even a refusal before routing has their format.
type Renderer interface {
	RenderError(w http.ResponseWriter, r *http.Request, err error)
}

// Resolver marks a handler that finds out the method by itself: a mux, a
// gateway, a mounted gRPC server. Whoever wraps it does not resolve for it.
// ResolvesFor tells whether it does so for calls of the stack, an
// *interceptor.Stack; with another stack the call inside is another call.
type Resolver interface {
	ResolvesFor(stack any) bool
}

// GRPCServer is a handler that answers gRPC. A request it will answer as gRPC is
// a GRPC call from its entry.
type GRPCServer interface {
	ServesGRPC(r *http.Request) bool
}

// Inner is a handler that passes requests on to one that it knows beforehand;
// the request is as the inner handler will see it. A nil handler means that it
// answers itself.
type Inner interface {
	Inner(r *http.Request) (http.Handler, *http.Request)
}
