package httpadapter

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// exchange is one request, its response and the call they are. One allocation
// holds all of it. It is used by the goroutine that serves the request; what
// others may read (see facts.go) does not change.
type exchange struct {
	call   interceptor.Call
	config *config
	inner  http.ResponseWriter // the server's, or that of a layer further out

	received *http.Request // as it arrived; facts come from it
	req      *http.Request // as it was last handed on
	handed   context.Context

	// The plain handler that runs, and the match it was decided by.
	handler http.Handler
	target  http.ResponseWriter
	match   *match // nil where a handler can run only one route

	renderer  httpwire.Renderer     // of the layer that matched, nil without one
	noted     atomic.Pointer[error] // what a HandlerFunc behind foreign code returned
	beforeEnd func()
	writeErr  *error      // the first failed write of the body
	status    int32       // what has been sent, 0 before
	trailers  int32       // trailer operations applied so far
	applied   int32       // header operations applied, or left to the defaults
	flushed   atomic.Bool // by the handler
	kind      driver.Kind
	apart     bool // phases may run on another goroutine

	ran      bool // a plain handler has begun: the header may hold things of its
	wrote    bool // the header has been given to the inner writer
	replaced bool // another answer than the handler's has gone out
	hijacked bool
	settled  bool // a plain handler's outcome has been settled
	aborted  bool // end with http.ErrAbortHandler
	silent   bool // the handler aborted: nothing is sent for it
	returned bool // the handlers have returned by themselves
	foreign  bool // a gRPC server of another stack answers: to this one it is a plain handler
}

var _ httpwire.Exchange = (*exchange)(nil)

// front is a layer that begins calls: a Mux or a wrapped handler.
type front interface {
	http.Handler
	config() *config
	// ready tells what must be mended before anything is served.
	ready() error
	// dispatch routes the request to what answers it.
	dispatch(x *exchange, w http.ResponseWriter, r *http.Request)
}

// config is what the layers that begin calls have in common.
type config struct {
	front  front // whose it is
	stack  *interceptor.Stack
	render Renderer
	// grpc says that a handler behind the layer may answer gRPC. Only then is it
	// looked up before the call begins.
	grpc atomic.Bool
	// writers remembers the abilities of the first type of inner writer: most
	// servers have only one.
	writers atomic.Pointer[writerType]
}

// running returns the exchange of a call of the stack that ctx belongs to and
// that has not ended, or nil.
func running(ctx context.Context, stack *interceptor.Stack) *exchange {
	x := exchangeOf(ctx)
	if x == nil || ops.StackOf(&x.call) != stack || ops.Ended(&x.call) {
		return nil
	}
	return x
}

// exchangeOf returns the exchange of the call that ctx belongs to, or nil.
func exchangeOf(ctx context.Context) *exchange {
	call, ok := interceptor.CallFrom(ctx)
	if !ok {
		return nil
	}
	x, _ := ops.Transport(call).(*exchange)
	return x
}

// Lifetime returns the context of the request as the server made it, which ends
// when the client leaves and knows nothing of what hooks added. A mounted gRPC
// server needs it: see package grpcadapter.
func (x *exchange) Lifetime() context.Context { return x.received.Context() }

// serve answers a request as a call that the layer of c begins.
func serve(c *config, w http.ResponseWriter, r *http.Request) {
	x := &exchange{config: c, kind: driver.HTTP, inner: w, received: r, req: r}
	if c.grpc.Load() && r.Method == http.MethodPost {
		if server, ok := grpcServer(c.front, r); ok {
			x.renderer, _ = server.(httpwire.Renderer)
			if resolves(server, c.stack) {
				x.kind = driver.GRPC
			} else {
				x.foreign = true
			}
		}
	}
	ops.Begin(&x.call, c.stack, r.Context(), x)
	if x.kind == driver.HTTP && hasBody(r) {
		ops.ReceivedBytes(&x.call, -1)
	}
	defer x.finish()
	x.run()
	x.returned = true
}

// hasBody tells whether the client sends a body. Over HTTP/2 a request without
// one has a Body of its own, but a ContentLength of 0.
func hasBody(r *http.Request) bool {
	return r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody
}

// run takes the call from its entry to an answer.
func (x *exchange) run() {
	goesOn := ops.Request(&x.call) || x.holdsMessage()
	// The original stays as it is: net/http looks at its Body when the header is
	// written, and at its MultipartForm when the handler has returned. One copy takes
	// the contexts of all hooks.
	x.handed = ops.Inner(&x.call)
	x.req = x.received.WithContext(x.handed)
	if !goesOn {
		x.Refuse()
	} else if err := x.config.front.ready(); err != nil {
		x.refuse(ops.Misuse("the handler cannot serve: " + err.Error()))
	} else {
		x.config.front.dispatch(x, x.writer(), x.req)
	}
	x.runBeforeEnd()
	x.close()
}

// holdsMessage tells whether a hook has replied with a message, which only a
// layer that knows the method can send.
func (x *exchange) holdsMessage() bool {
	if ops.Failed(&x.call) != nil {
		return false
	}
	reply := ops.Answered(&x.call)
	_, isHTTP := reply.(*driver.HTTPReply)
	return reply != nil && !isHTTP
}

// runBeforeEnd runs what layers gave to BeforeEnd, in order: who waits for a
// dispatch has asked before who settles its outcome.
func (x *exchange) runBeforeEnd() {
	for x.beforeEnd != nil {
		f := x.beforeEnd
		x.beforeEnd = nil
		f()
	}
}

// close settles what is still open when all handlers have returned.
func (x *exchange) close() {
	if x.wrote || x.replaced || x.hijacked || x.settled || x.kind == driver.GRPC {
		if err := x.takeNoted(nil); err != nil {
			x.failLate(err)
		}
		return
	}
	err := x.gone(x.takeNoted(nil))
	if err == nil && x.holdsMessage() {
		err = errUnsendable
	}
	if err != nil {
		x.fail(err, false)
	}
	x.stand()
}

var errUnsendable = ops.Misuse("a hook replied with a message, but no layer that answers with messages was reached; reply where the method is known, or use ReplyHTTP")

// finish makes the outcome final on every way out of serve.
func (x *exchange) finish() {
	defer x.end()
	x.stopped(recover())
	x.applyTrailers(true)
	x.noteDisconnect()
}

// stopped settles a call whose handlers did not return by themselves.
func (x *exchange) stopped(panicked any) {
	switch {
	case panicked != nil:
		err := ops.Panicked(panicked)
		x.runBeforeEnd()
		x.crash(err)
	case !x.returned:
		x.runBeforeEnd()
		x.fail(errGoexit, true)
		x.silent = true
	}
}

var errGoexit = interceptor.NewError(codes.Internal, "internal error",
	interceptor.WithCause(errors.New("the handler ended its goroutine with runtime.Goexit")))

// end runs AfterResponse. It is the last thing that happens to the call.
func (x *exchange) end() {
	if form := x.req.MultipartForm; form != nil && x.received.MultipartForm == nil {
		// net/http removes the temporary files of the request it made, not those
		// of copies.
		x.received.MultipartForm = form
	}
	if x.req.Pattern != "" {
		// Middleware outside reads it after the handler, to name what it measured: a
		// ServeMux sets it on the request that it was given.
		x.received.Pattern = x.req.Pattern
	}
	ops.End(&x.call, x.finalStatus())
	if x.aborted {
		panic(http.ErrAbortHandler)
	}
}

// finalStatus is what the client got: 0 where that was no HTTP status.
func (x *exchange) finalStatus() int {
	switch {
	case x.kind == driver.GRPC:
		return 0
	case x.status != 0 || x.hijacked || x.silent:
		return int(x.status)
	default:
		return http.StatusOK // net/http sends it for a handler that wrote nothing
	}
}
