package httpadapter

import (
	"net/http"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// maxDepth bounds how many handlers around one another are looked through, so
// that handlers whose Inner methods form a circle end somewhere.
const maxDepth = 32

// resolves tells whether h finds out the methods of the stack's calls by itself.
func resolves(h http.Handler, stack *interceptor.Stack) bool {
	layer, ok := h.(httpwire.Resolver)
	return ok && layer.ResolvesFor(stack)
}

// leadsToLayer tells whether h, possibly through handlers that tell what is
// inside of them, passes r to a layer of the stack.
func leadsToLayer(h http.Handler, r *http.Request, stack *interceptor.Stack) bool {
	for range maxDepth {
		if h == nil || resolves(h, stack) {
			return h != nil
		}
		outer, ok := h.(httpwire.Inner)
		if !ok {
			return false
		}
		h, r = outer.Inner(r)
	}
	return false
}

// step returns the handler that h passes r to, as far as that can be known, or
// nil.
func step(h http.Handler, r *http.Request) (http.Handler, *http.Request) {
	switch h := h.(type) {
	case httpwire.Inner:
		return h.Inner(r)
	case *http.ServeMux:
		next, _ := h.Handler(r)
		return next, r
	}
	return nil, r
}

// grpcServer returns the handler that will answer r as gRPC, if one will.
func grpcServer(h http.Handler, r *http.Request) (http.Handler, bool) {
	for range maxDepth {
		if h == nil {
			return nil, false
		}
		if server, ok := h.(httpwire.GRPCServer); ok {
			return h, server.ServesGRPC(r)
		}
		h, r = step(h, r)
	}
	return nil, false
}

// mayServeGRPC tells whether a gRPC server could be found behind h.
func mayServeGRPC(h http.Handler) bool {
	switch h := h.(type) {
	case front:
		return h.config().grpc.Load()
	case *stripped:
		return mayServeGRPC(h.handler)
	case httpwire.GRPCServer, httpwire.Inner, *http.ServeMux:
		return true
	}
	return false
}

// rendererFor returns what writes errors in the format of the handler that r
// would have reached, or nil.
func rendererFor(h http.Handler, r *http.Request) httpwire.Renderer {
	for range maxDepth {
		if h == nil {
			return nil
		}
		if server, ok := h.(httpwire.GRPCServer); ok && !server.ServesGRPC(r) {
			return nil
		}
		if own, ok := h.(httpwire.Renderer); ok {
			return own
		}
		h, r = step(h, r)
	}
	return nil
}
