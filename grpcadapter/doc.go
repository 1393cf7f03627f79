// Package grpcadapter runs a stack of hooks around the calls of a gRPC server.
//
// There are three ways in, and used together they run the stack once:
//
//   - [NewServer] makes a server of its own. Hooks see a call before any byte of
//     the request has been read, unknown methods included, and [Server.Conn]
//     carries calls within the process. [Server.ServeHTTP] mounts it under
//     net/http.
//   - [Guard] wraps what is registered through it on a server built elsewhere,
//     with the same phases; unknown methods need ServerOptions too.
//   - [ServerOptions] are interceptors for a server built elsewhere. The request
//     of a unary call has been decoded when they run.
//
// # Order
//
// For a unary call: BeforeRequest and BeforeHandler before the request is
// decoded; OnReceive; WrapHandler around the user's interceptors and the handler;
// OnSend; a trial encoding, so that a reply that cannot be sent is a failure
// hooks know of; OnError on failures; BeforeResponse; AfterResponse. On a stream
// OnReceive and OnSend run per message inside the handler, and BeforeResponse
// before the first message or headers are sent.
//
// # What gRPC does not let hooks do
//
// When a request cannot be decoded, or a stream breaks, grpc-go sends the status
// by itself: OnError observes such a failure, and BeforeResponse does not run for
// it. Response headers can be added to but not changed once they have been
// handed over, which happens just before the request is decoded and again before
// the response: a hook that sets such a key later gets
// [interceptor.ErrCommitted]. What a handler sets for the same key goes out beside
// the hook's value; SetDefault avoids that. A reply over the send limit fails on
// the wire only, after AfterResponse; a stats handler sees it.
//
// A reply that a hook gives in BeforeResponse of a stream takes the place of the
// first message and ends the stream.
package grpcadapter
