package gateway

import (
	"context"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// answer is the way out of one request: what the gateway's runtime hands to
// error handlers, and the call, which is nil for requests that went around the
// Handler.
type answer struct {
	g         *Handler
	ctx       context.Context
	marshaler runtime.Marshaler
	w         http.ResponseWriter
	r         *http.Request
	call      *interceptor.Call
	x         httpwire.Exchange
	stream    bool // errors have the format of a response stream
}

// answerTo returns the way out of r with the marshaler that r asks for.
func (g *Handler) answerTo(w http.ResponseWriter, r *http.Request) *answer {
	_, marshaler := runtime.MarshalerForRequest(g.mux, r)
	return g.answerIn(r.Context(), marshaler, w, r)
}

// answerIn returns the way out of r in a context that may carry metadata of the
// RPC. The call is that of r: the context handed to error handlers may be the
// one that generated handlers were registered with.
func (g *Handler) answerIn(ctx context.Context, marshaler runtime.Marshaler, w http.ResponseWriter, r *http.Request) *answer {
	call, x := g.callOf(r.Context())
	return &answer{g: g, ctx: ctx, marshaler: marshaler, w: w, r: r, call: call, x: x}
}

// fail fails the call with err, or without a call writes err. What the RPC's side
// of the call has settled is only written.
func (a *answer) fail(err error) {
	if a.call == nil {
		a.writeError(err)
		return
	}
	failed := settledFailure(a.call, err)
	switch d := dispatchOf(a.call); {
	case failed != nil:
		a.writeError(failed)
	case repliedHTTP(a.call):
		a.settle(nil) // the connection cannot return it and fails instead
	case a.rpcMayRun(d):
		a.failAfterRPC(d, ownFailure(a.call, err))
	case repliesInstead(a.call):
		a.settle(nil)
	default:
		a.settle(ownFailure(a.call, err))
	}
}

// settle fails the call with err, unless err is the failure that stands, and
// writes what the hooks made of it: the error, or the reply of one that
// recovered. With a nil err it writes the outcome that the call has.
//
// BeforeResponse runs here and not when the header is written, so that a message
// it replies with still passes the marshaler.
func (a *answer) settle(err error) {
	reply, err := ops.Answer(a.call, nil, err)
	if reply == nil && err == nil {
		return
	}
	reply, err = ops.Respond(a.call, reply, err)
	switch reply := reply.(type) {
	case nil:
		a.writeError(err)
	case *driver.HTTPReply:
		a.x.Refuse() // it writes the answer that stands, here the reply's bytes
	case proto.Message:
		a.writeReply(reply)
	default:
		a.settle(ops.Misuse("a hook replied with something else than a proto.Message, which no gateway can write"))
	}
}

// repliedHTTP tells whether the answer of the call is an HTTP reply of a hook.
func repliedHTTP(call *interceptor.Call) bool {
	_, isHTTP := ops.Answered(call).(*driver.HTTPReply)
	return isHTTP && ops.Failed(call) == nil
}

// repliesInstead tells whether a hook has replied to the call before the RPC
// could be dispatched. Then it does not matter that there was nothing to decode.
// A reply that was sent is not written again: then it is what failed.
func repliesInstead(call *interceptor.Call) bool {
	return ops.Answered(call) != nil && ops.Failed(call) == nil && !sentMessage(call)
}

// sentMessage tells whether the RPC has answered, or has begun to.
func sentMessage(call *interceptor.Call) bool {
	return call.Response() != nil || call.Sent().Messages > 0
}

// writeError has the user's error handler write err, reduced to what the client
// may know of it.
func (a *answer) writeError(err error) {
	if a.call != nil {
		if challenge := a.call.ResponseHeader().Values(challengeKey); len(challenge) > 0 {
			a.w = &challengeWriter{a.w, challenge}
		}
	}
	if a.stream {
		a.writeStreamError(err)
		return
	}
	runtime.HTTPError(a.ctx, a.g.shadow, a.marshaler, a.w, a.r, newPublicError(err))
}

// writeStreamError writes err as the runtime ends a response stream that has not
// begun, but with the HTTP status of the error, which the runtime cannot be told.
func (a *answer) writeStreamError(err error) {
	st := a.g.userStreamStatus(a.ctx, err)
	chunk := map[string]proto.Message{"error": st.Proto()}
	httpStatus := interceptor.HTTPStatusOf(err)
	if own := newPublicError(err); own.httpStatus == 0 {
		httpStatus = interceptor.HTTPStatusFromCode(st.Code()) // the user may have chosen another code
	}
	a.w.Header().Set("Content-Type", a.marshaler.ContentType(chunk))
	buf, merr := a.marshaler.Marshal(chunk)
	if merr != nil {
		a.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	a.w.WriteHeader(httpStatus)
	delimiter := []byte("\n")
	if d, ok := a.marshaler.(runtime.Delimited); ok {
		delimiter = d.Delimiter()
	}
	_, _ = a.w.Write(append(buf, delimiter...)) // nobody is left to tell that the client has gone
}
