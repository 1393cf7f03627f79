package gateway

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// dispatch is what the gateway remembers about one call between its middleware,
// the annotator and the error handlers. They have no common frame, and the
// contexts they are handed differ, so it hangs on the call.
type dispatch struct {
	binding *binding
	armed   atomic.Bool // the one dispatch that continues the call has begun

	// Only where the RPC answers with a stream, which has a goroutine of its own.
	cancel context.CancelCauseFunc // ends the RPC
	w      http.ResponseWriter     // as it was handed to the gateway
}

var dispatchKey = interceptor.NewKey[*dispatch]("crosscut gateway")

// dispatchOf returns the dispatch of a call, which may not have one yet.
func dispatchOf(call *interceptor.Call) *dispatch {
	d, ok := dispatchKey.Get(call)
	if !ok {
		d = new(dispatch)
		dispatchKey.Set(call, d)
	}
	return d
}

// callOf returns the call of the gateway's stack that ctx belongs to, if it
// arrived over HTTP, and the HTTP side of it.
func (g *Handler) callOf(ctx context.Context) (*interceptor.Call, httpwire.Exchange) {
	call, ok := interceptor.CallFrom(ctx)
	if !ok || ops.StackOf(call) != g.stack {
		return nil, nil
	}
	x, ok := ops.Transport(call).(httpwire.Exchange)
	if !ok {
		return nil, nil
	}
	return call, x
}

// withHooks is the context of a request whose BeforeHandler hooks returned
// another: what the hooks added comes first, then what the gateway had added.
type withHooks struct {
	context.Context
	request context.Context
}

func (c *withHooks) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.request.Value(key)
}
