// Package driver is the adapters' private side of a call: what begins one,
// resolves its method, runs its phases and ends it. Package interceptor
// registers the functions when it is initialised, and the adapters fetch them
// with the concrete types, so neither side imports the other's secrets and none
// of this shows in the documentation users read.
//
// The order an adapter must keep is the order of the fields of [Ops]. All
// functions are safe for concurrent use on different calls; on one call only
// Receive may overlap Send.
package driver

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
)

// Kind is the transport of a call, as interceptor.Transport counts them.
type Kind uint8

// The transports. The zero Kind belongs to a call no adapter began.
const (
	None Kind = iota
	GRPC
	HTTP
	Kinds // the number of kinds, for arrays indexed by one
)

// AddrText returns the address of a TCP peer as text, an IPv4 address always as such,
// with one allocation; its String method takes four. It is "" for any other address.
func AddrText(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp == nil {
		return ""
	}
	ap := tcp.AddrPort()
	if !ap.IsValid() {
		return ""
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()).String()
}

// Peer is who called: the addresses of both ends and the TLS state, if any.
type Peer struct {
	Remote, Local net.Addr
	TLS           *tls.ConnectionState
}

// HeaderOp is what a hook asked for when it wrote a response header.
type HeaderOp uint8

// The header operations. Default applies when the answer is committed, and only
// where the handler set nothing; Vary merges instead.
const (
	Set HeaderOp = iota
	Add
	Default
	Del
)

// Header is one header operation of a hook, in the order they were made.
type Header struct {
	Key, Value string
	Op         HeaderOp
}

// HTTPReply is an answer given with Call.ReplyHTTP.
type HTTPReply struct {
	Status      int
	ContentType string
	Body        []byte
}

// Transport is the adapter's half of one call. Facts must be safe to read from
// any goroutine and after the call has ended; the rest is called by the running
// phase only.
type Transport interface {
	Kind() Kind
	Protocol() string
	Path() string
	Authority() string
	Scheme() string
	HTTPMethod() string
	Peer() Peer

	// RequestHeader returns every value of key in the order received, without
	// those deleted. The caller does not change the result.
	RequestHeader(key string) []string
	// DeleteRequestHeader hides key from later readers, the handler included.
	DeleteRequestHeader(key string)
	// HeaderChanged tells of a response header operation the moment a hook makes
	// it; an error refuses it (a flushed key cannot change). Operations stay
	// available through Ops.Headers and Ops.Trailers.
	HeaderChanged(h Header, trailer bool) error

	Runner
}

// RemoteAddresser is a [Transport] that knows the address of the other end as
// text, for less than Peer costs: what interceptor.Call.RemoteAddr returns. It may be
// asked from any goroutine.
type RemoteAddresser interface{ RemoteAddr() string }

// Flusher is a [Transport] that knows whether its response was flushed by the
// handler. It may be asked from any goroutine.
type Flusher interface{ Flushed() bool }

// Runner is the part of a [Transport] that runs the handler. On a linked call
// it belongs to the layer that runs the handler, not to the one that began it.
type Runner interface {
	// Invoke runs the user's handler once. It recovers the handler's panics into
	// the error made by Ops.Panicked.
	Invoke(ctx context.Context) error
	// Encode fails where the wire would fail to encode msg; the bytes are thrown
	// away. It is called after OnSend and before OnError.
	Encode(msg any) error
}

// Responder is a [Runner] that tells what the handler returned last, or nil, so
// that WrapHandler hooks can read the response.
type Responder interface{ Response() any }

// Needs says which hooks of a call depend on what an adapter may not be able to
// give on some path.
type Needs struct {
	Messages bool // a MessageHook is effective
	Handler  bool // a HandlerHook is effective
}

// Ops are the functions of package interceptor that only adapters may call. S is
// interceptor.Stack, C interceptor.Call and M interceptor.Method.
type Ops[S, C, M any] struct {
	// NewMethod makes an RPC's method; desc is a protoreflect.MethodDescriptor or
	// nil, kind counts as interceptor.Kind does.
	NewMethod func(name string, desc any, kind uint8) *M
	// NewRoute makes the method of a plain HTTP route, which has no messages.
	NewRoute func(name string) *M
	// Prepare computes which hooks are effective on the method over the
	// transport and shows it to every MethodChecker among them, once. It is
	// cheap when repeated. The error names what must be mended before starting.
	Prepare func(s *S, m *M, k Kind) error

	// Begin starts a call in c, which must be zero and is never reused, and
	// returns the context that carries it.
	Begin func(c *C, s *S, parent context.Context, t Transport) context.Context
	// Request runs BeforeRequest. False means stop: the call failed, or was
	// answered (see Answered).
	Request func(c *C) bool
	// Resolve runs BeforeHandler for m, joining the hooks that were waiting for
	// the method. False means stop, as with Request. On a call already answered
	// it records the method and route, runs nothing and returns false. Resolving
	// twice for one method is a no-op; for another method it fails the call.
	Resolve func(c *C, m *M, route string) bool
	// Inner is the context the innermost hook returned.
	Inner func(c *C) context.Context
	// Needs tells what the hooks effective on the resolved method depend on.
	Needs func(c *C) Needs

	// Receive runs OnReceive on a decoded request message and counts it; bytes
	// is its encoded size, or -1. After an error the message has been cleared
	// and must not be delivered.
	Receive func(c *C, msg any, bytes int) error
	// Waiting tells whether a hook that called AwaitMessage has not yet agreed
	// to a first message. Until then a stream sends nothing.
	Waiting func(c *C) bool
	// Handle runs the WrapHandler chain around Transport.Invoke.
	Handle func(c *C, ctx context.Context) error

	// Answer settles the one answer of a call: resp or err, as the handler
	// returned them, pass a held reply, OnSend, Encode and OnError. It returns
	// the message or *HTTPReply to send, or the error to send. A nil resp with a
	// nil error means that the handler has written its own answer.
	Answer func(c *C, resp any, err error) (any, error)
	// Respond runs BeforeResponse, once per call, for the answer that Answer
	// settled; what it returns replaces that answer. Later calls return their
	// arguments. On a stream, Send and Finish call it.
	Respond func(c *C, resp any, err error) (any, error)

	// Send passes one message of a response stream through OnSend and, before
	// the first, BeforeResponse. It returns the message to send.
	Send func(c *C, msg any) (any, error)
	// Finish settles a stream that its handler left with err: a reply still to
	// be sent goes through send (which calls Send and then the wire), failures
	// through OnError, and BeforeResponse runs if nothing has been sent. It
	// returns the error the client gets.
	Finish func(c *C, err error, send func(msg any) error) error

	// Fail records a failure and runs OnError if none has run yet. With sent,
	// the status has left and the result is ignored. It returns the error to
	// send, or nil when a hook recovered with a reply (see Answered).
	Fail func(c *C, err error, sent bool) error
	// Failed is the failure that stands, or nil.
	Failed func(c *C) error
	// Answered returns the reply a hook gave: a message or *HTTPReply, or nil.
	Answered func(c *C) any
	// Headers and Trailers are the operations hooks made so far.
	Headers  func(c *C) []Header
	Trailers func(c *C) []Header
	// Commit records that the response headers have left.
	Commit func(c *C)
	// Sent counts messages and body bytes that went out; bytes -1 is unknown.
	Sent func(c *C, messages, bytes int)
	// ReceivedBytes records the size of a request body on a transport that
	// knows it.
	ReceivedBytes func(c *C, bytes int64)
	// End makes the outcome final and runs AfterResponse and the deferred
	// cleanups, once. httpStatus is what the client got, 0 on gRPC.
	End func(c *C, httpStatus int)
	// Ended tells whether End has run.
	Ended func(c *C) bool

	// Arm lets one dispatch of fullMethod by the same stack continue c.
	Arm func(c *C, fullMethod string)
	// Claim returns the armed call in ctx if it was armed by stack s for
	// fullMethod and nobody claimed it before; nil otherwise.
	Claim func(ctx context.Context, s *S, fullMethod string) *C
	// Swap makes r run the handler of c from here on: the layer that claimed a
	// call runs it. The facts of the layer that began it stay.
	Swap func(c *C, r Runner)
	// Transport returns the adapter's half that began c.
	Transport func(c *C) Transport
	// StackOf returns the stack that runs c, nil for a zero call.
	StackOf func(c *C) *S

	// Panicked makes the error of a recovered panic, with the stack of the
	// goroutine that calls it.
	Panicked func(value any) error
	// Misuse makes an INTERNAL error whose text is for the operator only.
	Misuse func(text string) error
	// Report tells the operator about err without changing the call.
	Report func(s *S, ctx context.Context, c *C, err error)

	// Observe returns a copy of s that tells see of every phase of a hook just
	// before it runs; many goroutines call see at once. Only the conformance kit
	// uses it. The phase has the name of its method.
	Observe func(s *S, see func(c *C, hook, phase string)) *S
}

var registered any

// Register hands over the functions. Package interceptor calls it once, from an
// init function.
func Register[S, C, M any](ops *Ops[S, C, M]) { registered = ops }

// Get returns the registered functions. It panics if the types are not those
// that package interceptor registered, which only a programmer can cause.
func Get[S, C, M any]() *Ops[S, C, M] {
	ops, ok := registered.(*Ops[S, C, M])
	if !ok {
		panic("driver: Get with types that package interceptor did not register")
	}
	return ops
}
