package gateway

import (
	"context"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// annotate is the last metadata annotator of the mux. runtime.AnnotateContext
// runs it in the generated handler, after every middleware and before the body
// is decoded, with the RPC's name in ctx: the last moment to compare it with
// what was decided, and the first to hand the call to the RPC. Handing it over
// any earlier would let a look-up made by another middleware claim it.
//
// An annotator cannot return an error, so what must not go on is aborted.
func (g *Handler) annotate(ctx context.Context, r *http.Request) metadata.MD {
	rpc, _ := runtime.RPCMethod(ctx)
	call, _ := g.callOf(ctx)
	if call == nil {
		call, _ = g.callOf(r.Context())
		g.abort(call, "the RPC "+rpc+" lost its call on the way; keep the request's context in middlewares, and generate the gateway code with request_context=true")
	}
	if _, direct := grpc.ServerTransportStreamFromContext(ctx).(*runtime.ServerTransportStream); direct {
		g.abort(call, rpc+" was registered with Register…HandlerServer, which runs the handler without the stack; register it with Register…HandlerClient over the Conn() of the grpcadapter.Server")
	}
	d := dispatchOf(call)
	if d.binding == nil || d.binding.custom {
		return g.annotateCustom(call, rpc)
	}
	m := call.Method()
	if !sameRPC(rpc, m.Name()) {
		g.abort(call, "the call was decided for "+m.Name()+" but would run "+rpc+"; "+bindAdvice)
	}
	if d.armed.CompareAndSwap(false, true) { // a second dispatch for one request is a call of its own
		ops.Arm(call, m.Name())
	}
	if needs := ops.Needs(call); needs.Messages || needs.Handler || ops.Answered(call) != nil {
		// Only the in-process connection takes this key off; any other refuses to
		// send it, so the hooks that need the messages cannot be left out.
		return metadata.MD{httpwire.AdviceKey: {"1"}}
	}
	return nil
}

const bindAdvice = "if the route is not in the .proto, name its RPC with gateway.Bind, and let middlewares leave the route as the mux matched it"

// annotateCustom judges an RPC dispatched by a handler that was decided as a
// plain route. runtime.WithHealthEndpointAt makes such a route, and its probe is
// a call of its own with all hooks; any other may be generated code whose binding
// the descriptors do not show, which must not run under a decision about a path.
func (g *Handler) annotateCustom(call *interceptor.Call, rpc string) metadata.MD {
	if rpc != grpc_health_v1.Health_Check_FullMethodName {
		g.abort(call, "the call was decided for the plain route "+call.Method().Name()+" but would run "+rpc+"; "+bindAdvice)
	}
	return nil
}

// aborted is what stops a generated handler from inside: it is panicked with, and
// the gateway's own middleware, further out, recovers it.
type aborted struct {
	reason error // nil if the call has its outcome
	stream bool  // the response is a stream that has not begun
}

// abort fails the call and ends the handler that is running. The failure is
// recorded first, so that a middleware that recovers panics cannot hide it.
func (g *Handler) abort(call *interceptor.Call, text string) {
	reason := ops.Misuse(text)
	if call == nil {
		ops.Report(g.stack, context.Background(), nil, reason)
	} else {
		_ = ops.Fail(call, reason, call.Committed()) // what hooks make of it is settled where the panic ends
	}
	panic(&aborted{reason: reason})
}

// recoverAbort answers a call whose handler was aborted. Other panics go on, to
// the layer that began the call.
func (g *Handler) recoverAbort(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	stop, ok := p.(*aborted)
	if !ok {
		panic(p) // the first panic's frames are still on the stack for who recovers this
	}
	a := g.answerTo(w, r)
	a.stream = stop.stream
	switch {
	case a.call == nil:
		a.writeError(stop.reason)
	case stop.stream:
		a.failAfterRPC(dispatchOf(a.call), stop.reason)
	case ops.Failed(a.call) != nil || ops.Answered(a.call) != nil:
		a.settle(nil) // the call has its outcome
	default:
		a.settle(stop.reason)
	}
}
