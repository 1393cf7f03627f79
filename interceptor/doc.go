// Package interceptor defines the hook that crosscut runs around every call a
// service answers, the call and the method it sees, and the stack that orders
// hooks. It knows no transport: packages grpcadapter, httpadapter and
// httpadapter/gateway run the same stack over gRPC, net/http and REST.
//
// A [Hook] has four phases. [Base] supplies the ones it does not need, and
// [FromFuncs] makes a hook of plain functions. With hooks H1 (listed first,
// outermost), H2 and H3, a call runs
//
//	BeforeRequest 1 2 3 → resolve the method → BeforeHandler 1 2 3
//	  → decode → OnReceive 1 2 3 → WrapHandler 1( 2( 3( handler ))) → OnSend 3 2 1
//	  → [failed: OnError 3 2 1] → BeforeResponse 3 2 1 → headers committed
//	  → AfterResponse 3 2 1 → deferred cleanups
//
// [New] builds a [Stack] of hooks and refuses a list that cannot work. A stack
// is immutable and safe for concurrent use, and one stack per server is the
// normal case: only the same stack makes one call of a REST request and the RPC
// behind it.
//
// A [Call] carries the facts of one logical call. What a hook learns and others
// must see (a principal, a tenant) goes into the call through a typed [Key].
// Access is decided in BeforeHandler, where the [Method] is known and nothing of
// the body has been decoded.
//
// Errors say who may read what: [NewError] separates the code and the public
// message from the private cause, [StatusOf] tells what a client gets for any
// error, and text that was not written for clients never reaches one.
package interceptor
