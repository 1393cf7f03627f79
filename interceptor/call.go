package interceptor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// Transport is how a call arrived.
type Transport uint8

// The transports. A REST call transcoded to an RPC is HTTP throughout.
const (
	GRPC = Transport(driver.GRPC)
	HTTP = Transport(driver.HTTP)
)

// String returns "grpc" or "http", or "" for a call without a transport.
func (t Transport) String() string {
	switch t {
	case GRPC:
		return "grpc"
	case HTTP:
		return "http"
	default:
		return ""
	}
}

// Call is one logical call: a unary RPC, a stream, or an HTTP request. There is
// one Call however many layers (gateway, in-process connection, mounted server)
// it passes, and it is never reused.
//
// Facts, outcome and [Key] values may be read from any goroutine, also after the
// call has ended. Headers, replies and Defer belong to the running phase or
// handler. The zero Call answers every question with a zero value and runs
// nothing; see package interceptortest for calls in unit tests.
type Call struct {
	ctx   callContext // what Begin hands out: one allocation carries both
	stack *Stack
	wire  driver.Transport
	run   driver.Runner
	start time.Time

	// Progress. These belong to the goroutine that runs the phases.
	plan     *plan
	inner    context.Context // what layers further in receive
	early    int32           // hooks entered at BeforeRequest: a prefix of plan.early
	late     int32           // hooks entered at resolution: a prefix of plan.late
	agreed   int32           // how many steps of the plan have passed BeforeHandler
	settled  bool            // OnError has run
	respDone bool            // BeforeResponse has run
	progress progress

	phase atomic.Uint32 // the running phase, see the constants
	armed atomic.Pointer[string]
	count counters

	notes atomic.Pointer[notes] // nil until a hook leaves something; stored under mu

	route  string // written before method
	method atomic.Pointer[Method]

	mu        sync.Mutex // guards everything below, except as said
	request   any
	response  any
	reply     any    // a message or *driver.HTTPReply
	bug       error  // a misuse that the running phase will fail with
	await     *entry // the innermost hook that waits for the first message
	replied   bool   // the reply of a hook has left on a stream
	committed bool
	cleaned   bool // the cleanups have run

	// The outcome is written under mu until ended is set there, and from then on read
	// without it: it does not change any more.
	ended      atomic.Bool
	denied     bool
	httpStatus int32
	failure    error // the failure that stands
	took       time.Duration
}

// callContext is the context of a call. It is a field of the call rather than
// the call itself because Call.Err is the outcome, and a context whose Err is
// the outcome would look cancelled as soon as the call failed.
type callContext struct {
	context.Context
	call *Call
}

type callKey struct{}

func (c *callContext) Value(key any) any {
	if _, ok := key.(callKey); ok {
		return c.call
	}
	return c.Context.Value(key)
}

// CallFrom returns the call that ctx belongs to. Handlers use it to read facts
// and keys. Code that runs on behalf of another call, made through an in-process
// connection with this ctx, finds that other call.
func CallFrom(ctx context.Context) (*Call, bool) {
	if ctx == nil {
		return nil, false
	}
	c, ok := ctx.Value(callKey{}).(*Call)
	return c, ok
}

// Transport returns how the call arrived. A transcoded REST call is HTTP also in
// its RPC's handler.
func (c *Call) Transport() Transport {
	if c == nil || c.wire == nil {
		return 0
	}
	return Transport(c.wire.Kind())
}

// Protocol returns the HTTP version below the call: "1.1", "2" or "3". gRPC is
// "2"; an in-process call made by a handler has none.
func (c *Call) Protocol() string {
	if c == nil || c.wire == nil {
		return ""
	}
	return c.wire.Protocol()
}

// Path returns the path as the client sent it, without the query, for logs.
// Never decide on it: the method that runs is [Call.Method].
func (c *Call) Path() string {
	if c == nil || c.wire == nil {
		return ""
	}
	return c.wire.Path()
}

// Authority returns the host the client asked for: the :authority of HTTP/2, the
// Host of HTTP/1.1.
func (c *Call) Authority() string {
	if c == nil || c.wire == nil {
		return ""
	}
	return c.wire.Authority()
}

// Scheme returns "https" when the connection that carried the call has TLS, else
// "http"; "" in process. Headers of proxies do not change it.
func (c *Call) Scheme() string {
	if c == nil || c.wire == nil {
		return ""
	}
	return c.wire.Scheme()
}

// HTTPMethod returns the HTTP method of an HTTP call, as received, and "" on
// gRPC, where it is always POST.
func (c *Call) HTTPMethod() string {
	if c == nil || c.wire == nil {
		return ""
	}
	return c.wire.HTTPMethod()
}

// StartTime returns when the call arrived at the stack.
func (c *Call) StartTime() time.Time {
	if c == nil {
		return time.Time{}
	}
	return c.start
}

// Route returns the path template that matched, spelled as in the .proto or at
// registration, without method and host, such as "/v1/items/{id}". It is "" on
// gRPC, and until the method is resolved.
func (c *Call) Route() string {
	if c.Method() == nil {
		return ""
	}
	return c.route
}

// Method returns the resolved method, or nil before BeforeHandler and on calls
// that no method answers.
func (c *Call) Method() *Method {
	if c == nil {
		return nil
	}
	return c.method.Load()
}

// Request returns the decoded request message once OnReceive has agreed to it.
// It is nil for client and bidi streams and for plain routes. Do not change it.
func (c *Call) Request() any {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.request
}

// Response returns the response message once the handler has returned it. It is
// nil for server and bidi streams and for plain routes. Do not change it.
func (c *Call) Response() any {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.response
}

// Defer runs cleanup after every AfterResponse of the call, last deferred first,
// also for a hook that was never entered. Once the cleanups of an ended call have
// run, it runs at once.
func (c *Call) Defer(cleanup func()) {
	if c == nil || cleanup == nil {
		return
	}
	c.mu.Lock()
	if !c.cleaned {
		rare := c.rareLocked()
		rare.cleanups = append(rare.cleanups, cleanup)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.cleanup(cleanup)
}

// Err returns the failure of the call, with everything it wraps, or nil. It is
// final in AfterResponse; what clients get of it is [StatusOf].
func (c *Call) Err() error {
	if c == nil {
		return nil
	}
	if c.ended.Load() {
		return c.failure
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// Code returns the code of the call: what a gRPC client gets, or the code that
// stands for an HTTP outcome.
func (c *Call) Code() codes.Code {
	if err := c.Err(); err != nil {
		return StatusOf(err).Code()
	}
	return codes.OK
}

// HTTPStatus returns the status an HTTP client got. It is 0 on gRPC, before the
// status is known, and where none was sent (a hijacked or aborted connection).
func (c *Call) HTTPStatus() int {
	if c == nil || !c.ended.Load() {
		return 0
	}
	return int(c.httpStatus)
}

// Denied tells whether a [Decider] did not agree, whatever the client was then
// answered.
func (c *Call) Denied() bool {
	if c == nil {
		return false
	}
	if c.ended.Load() {
		return c.denied
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.denied
}

// Committed tells whether the response headers have left. Setting headers then
// fails with [ErrCommitted], and over HTTP an error can no longer change the
// status.
func (c *Call) Committed() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.committed
}

// Flushed tells whether the handler of an HTTP call has sent parts of its response
// on their way by flushing them, as server-sent events and the streams of REST do.
// A client that leaves such a response has had what it came for. It is false on
// gRPC, where [Method.Kind] tells what streams.
func (c *Call) Flushed() bool {
	if c == nil {
		return false
	}
	f, ok := c.wire.(driver.Flusher)
	return ok && f.Flushed()
}

// Duration returns how long the call took, or has taken so far.
func (c *Call) Duration() time.Duration {
	if c == nil || c.start.IsZero() {
		return 0
	}
	if c.ended.Load() {
		return c.took
	}
	c.mu.Lock() // so that it never runs backwards
	defer c.mu.Unlock()
	if c.ended.Load() {
		return c.took
	}
	return time.Since(c.start)
}
