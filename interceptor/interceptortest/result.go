package interceptortest

import (
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Result is what became of a [Request] on one transport, when the call has ended
// and its server has stopped. What means the same on every transport is equal on
// every transport, unless a hook tells them apart.
type Result struct {
	// Transport is the name of the transport, one of [Transports].
	Transport string

	// Code is the code that the client got. An HTTP response without a
	// google.rpc.Status stands for the code of its HTTP status.
	Code codes.Code
	// HTTPStatus is the HTTP status that the client got. It is 0 on gRPC, and
	// where the client got no response.
	HTTPStatus int
	// Err is the error that the client got, nil for OK. Over HTTP it is made of
	// the response; package status of grpc-go reads it on every transport.
	Err error
	// Header and Trailer are what the client got, with keys as net/http spells
	// them. A gRPC error without a message has only trailers.
	Header, Trailer http.Header
	// Replies are the texts of the response messages. On a plain route the body
	// of a success is the only one.
	Replies []string
	// Body is the response body as it was on HTTP, and "" on gRPC.
	Body string

	// Reached tells whether the handler received the request. On client and bidi
	// streams a handler that began and received nothing was not reached.
	Reached bool
	// Trace are the phases that ran, in order, such as "BeforeRequest tenant":
	// the name of the phase's method and of the hook. Where the handler received
	// the request it is "handler". Phases that a hook made by
	// interceptor.FromFuncs does not have are left out. Plain routes have no
	// OnReceive and OnSend.
	Trace []string
	// Call is the call after it has ended, for its keys and outcome. It is nil if
	// the call reached no hook.
	Call *interceptor.Call
	// Reports are what the stack reported to the operator, such as panics.
	Reports []error
}

// result makes the Result of the first call.
func (o *outcome) result() Result {
	a := o.answers[0]
	r := Result{
		Transport: o.way.name, Code: a.code(), HTTPStatus: a.httpStatus, Err: a.err,
		Header: a.header, Trailer: a.trailer, Replies: a.texts, Body: a.body, Reports: o.reports,
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Trailer == nil {
		r.Trailer = http.Header{}
	}
	if len(o.records) > 0 {
		first := o.records[0]
		r.Call, r.Trace, r.Reached = first.call, first.trace, first.reached
	}
	return r
}
