// Package httpadapter runs a stack of hooks around net/http handlers.
//
// [NewMux] is a http.ServeMux whose handlers run inside the stack. Its routes are
// wrapped when they are registered, so the match that decides is the match that
// runs:
//
//	mux := httpadapter.NewMux(stack)
//	mux.HandleFunc("GET /files/{name}", download)
//	http.ListenAndServe("localhost:8080", mux)
//
// [Wrap] and [Middleware] put the stack around any http.Handler: a bare
// http.ServeMux, a foreign router (with [Routes]), a file server.
//
// # What a call is
//
// Every request is one interceptor.Call. BeforeRequest runs on entry, before
// routing; BeforeHandler after the route is known, with a method whose name is
// the registered pattern ("*" for what this package cannot look into);
// BeforeResponse just before the header leaves, and before a connection is
// hijacked; AfterResponse when the handler has returned. A mux's own 404, 405
// and redirects are no routes: BeforeHandler does not run for them, everything
// else does, and the client gets what a bare mux sends.
//
// Layers of one stack make one call of a request. A [Mux], a wrapped handler, a
// gateway or a gRPC server mounted under a pattern resolves the method by itself,
// also through [StripPrefix]. Behind foreign middleware it cannot: there the
// mount is a plain route with a policy of its own, and the layer inside answers
// INTERNAL because the call was decided for something else.
//
// # Errors
//
// A handler that returns errors is a [HandlerFunc]. Errors of handlers and hooks
// are answered as google.rpc.Status in JSON, or as application/problem+json (RFC
// 9457) for callers whose Accept header prefers that; [RenderErrors] replaces
// the format. A status of 400 or more that a handler writes itself is observed by
// OnError and goes out untouched. A panic is a 500, or, when the response has
// begun, an aborted connection: a truncated response must not look complete. The
// same goes for an error returned after a response below 400 has begun.
//
// # What stays as it was
//
// Handlers get a ResponseWriter with exactly the abilities of the server's
// (http.Flusher, http.Hijacker, io.ReaderFrom, http.Pusher, …) and one copy of
// the request that shares URL and headers with the original.
//
// One thing cannot be kept: http.MaxBytesReader tells the server's own
// ResponseWriter, and no other, to close the connection. It is closed here when
// the answer is 413, which is also what an [http.MaxBytesError] returned by a
// HandlerFunc becomes.
package httpadapter
