package grpcadapter

import (
	"context"

	"github.com/crosscut-go/crosscut/interceptor"
)

// link is the call of an outer layer that a dispatch continues. The zero link
// means that the dispatch is a call of its own.
type link struct {
	call  *interceptor.Call
	mount *mount // set when the outer layer is an HTTP handler around ServeHTTP
}

// linkedKey finds the call that a dispatch of the in-process connection continues.
type linkedKey struct{}

// linkedFrom returns the call that a dispatch with ctx continues, or nil.
func linkedFrom(ctx context.Context) *interceptor.Call {
	call, _ := ctx.Value(linkedKey{}).(*interceptor.Call)
	return call
}

// rpcKey finds the dispatch that runs a stack where the nearest call in the
// context does not lead to it: on linked calls, and inside another stack's call.
type rpcKey struct{ stack *interceptor.Stack }

// linkedContext is the handler's context on a linked call. Lifetime, metadata
// and stream are those of the dispatch; whatever the hooks of the outer layer
// put into their context is there as well.
type linkedContext struct {
	context.Context // the dispatch
	hooks           context.Context
	rpc             *rpc
}

func (c *linkedContext) Value(key any) any {
	switch k := key.(type) {
	case rpcKey:
		if k.stack == c.rpc.core.stack {
			return c.rpc
		}
	case *int:
		// Package context looks for the nearest cancellable context with a key of
		// this type. It must find the one whose Done this context has, or every
		// context derived from it would cost a goroutine.
		if v := c.Context.Value(key); v != nil {
			return v
		}
	}
	if v := c.hooks.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// running returns the dispatch of the stack that ctx belongs to, or nil.
func running(ctx context.Context, stack *interceptor.Stack) *rpc {
	call, ok := interceptor.CallFrom(ctx)
	if !ok {
		return nil
	}
	if r, ok := ops.Transport(call).(*rpc); ok && r.core.stack == stack {
		return r
	}
	r, _ := ctx.Value(rpcKey{stack}).(*rpc)
	return r
}

// linkedLifetime returns the dispatch's context ending also with hooks, the
// context that a BeforeHandler of the outer layer's call returned.
func linkedLifetime(dispatch, hooks context.Context, call *interceptor.Call) context.Context {
	ctx, cancel := context.WithCancelCause(dispatch)
	stop := context.AfterFunc(hooks, func() { cancel(context.Cause(hooks)) })
	call.Defer(func() {
		stop()
		cancel(nil)
	})
	deadline, ok := hooks.Deadline()
	if own, has := ctx.Deadline(); !ok || has && !deadline.Before(own) {
		return ctx
	}
	ctx, release := context.WithDeadlineCause(ctx, deadline, context.DeadlineExceeded)
	call.Defer(release)
	return ctx
}
