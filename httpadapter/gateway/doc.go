// Package gateway puts a stack of hooks around REST calls that grpc-gateway
// transcodes to RPCs. A [Handler] holds the gateway's runtime.ServeMux; generated
// handlers are registered on it over the in-process connection of a server with
// the same stack, and every REST request is then one call: BeforeRequest before
// routing, BeforeHandler with the RPC's own method once the gateway has matched
// and before anything is decoded, the message phases around the RPC, and one
// AfterResponse after the body.
//
//	gw := gateway.New(stack, srv.Conn())
//	err := pb.RegisterBooksHandlerClient(ctx, gw.Mux(), pb.NewBooksClient(srv.Conn()))
//	http.ListenAndServe(addr, gw) // or: httpadapter.NewMux(stack).Handle("/v1/", gw)
//
// # Which method a request is
//
// The gateway's own match decides: the verb and pattern that matched are looked
// up in the google.api.http annotations of the services the connection serves.
// The RPC that is then dispatched is compared with it, so that code that changes
// the request in between fails the call instead of running another RPC under its
// decision. Routes that no annotation shows need [Bind]. A route registered with
// runtime.ServeMux.HandlePath has no RPC: hooks see it as a plain route named by
// verb and pattern, such as "GET /v1/files/{name}", with a nil descriptor. Where
// such a route has the verb and pattern of an annotation, hooks see the RPC.
//
// # What fails closed
//
// A handler never runs without the whole stack. Code registered with
// RegisterXHandlerServer, code generated with request_context=false, a second
// route to another RPC, [Handler.Mux] mounted directly and, where the stack has
// hooks that need messages or wrap the handler, a connection that is not the
// in-process one all answer INTERNAL. The client learns nothing more; the stack's
// report tells the operator what to register instead.
//
// # What differs from a bare gateway
//
//   - Grpc-Metadata-*, X-Forwarded-*, Forwarded and X-HTTP-Method-Override of the
//     client are removed from the request, however they are spelled.
//   - A form POST is never taken for a GET: it is 405.
//   - A method that the path does not have is 405, where a bare gateway says 501.
//   - Paths with a dot segment, percent-encoded or not, are 400.
//   - A body over the limit of http.MaxBytesReader is 413, not 400.
//   - Errors without a status are answered without their text.
//
// A request message of a bidi stream that cannot be decoded is, as on a bare
// gateway, the end of the request stream and not an error: generated code keeps
// that failure to itself.
package gateway
