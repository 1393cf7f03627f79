package httpadapter

import "net/http"

// Option configures a handler made by [Wrap] or [Middleware].
type Option interface{ applyToWrapped(*wrapped) }

// MuxOption configures a [Mux], and also works as an [Option].
type MuxOption interface {
	Option
	applyToMux(*Mux)
}

// Renderer writes the answer for a failed call: a status of 400 or more, headers
// and a body. err is what hooks made of the failure; [interceptor.StatusOf] and
// [interceptor.HTTPStatusOf] say what the client may know of it. Headers that
// hooks have set are in w already. A renderer that panics, writes nothing, or
// writes a status below 400 makes the answer a bare 500, and the operator is
// told. It may be called by many goroutines at once.
type Renderer func(w http.ResponseWriter, r *http.Request, err error)

// Routes names the methods of a foreign router: f returns the pattern that the
// router will match r with, and false if it matches none. BeforeHandler then runs
// for a method of that name, such as "GET /items/{id}" or "/items/{id}", on which
// selectors and policies work as on registered routes. Where f returns false, and
// without Routes, the method is "*", because what the router does then cannot be
// known.
//
// f is called once per request, before BeforeHandler, by many goroutines at
// once; it must not change r, and must return registered patterns, never a path
// as the client sent it: after 4096 different names, calls for new ones fail
// INTERNAL. Repeating Routes replaces f. It has no effect where the handler is a
// layer of the stack.
func Routes(f func(r *http.Request) (pattern string, ok bool)) Option { return routesOption(f) }

type routesOption func(*http.Request) (string, bool)

func (f routesOption) applyToWrapped(h *wrapped) { h.routes = f }

// RenderErrors makes render write the errors of calls, instead of the default
// format. Layers with a format of their own, a gateway or a gRPC server, keep it.
// Repeating RenderErrors replaces the renderer; nil is the default one.
func RenderErrors(render Renderer) MuxOption { return renderOption(render) }

type renderOption Renderer

func (f renderOption) applyToWrapped(h *wrapped) { h.common.render = Renderer(f) }
func (f renderOption) applyToMux(m *Mux)         { m.common.render = Renderer(f) }
