package grpcadapter

import (
	"context"
	"reflect"

	"google.golang.org/grpc"
)

// serveUnary is the Handler of a wrapped grpc.MethodDesc. grpc-go calls it
// before it has read any byte of the request (since 1.84).
func (t *target) serveUnary(srv any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // the signature is grpc.MethodHandler
	if r := running(ctx, t.core.stack); r != nil && r.runs(ctx, t) {
		return t.runUnary(srv, ctx, dec, chain)
	}
	if err := t.core.closed(ctx); err != nil {
		return nil, err
	}
	if !t.core.ownUnary {
		chain = nil
	}
	l, err := t.core.mountLink(ctx, t.method.Name())
	if err != nil {
		return nil, err
	}
	return t.core.serveUnary(ctx, t, nil, l, dec, chain)
}

// serveStream is the Handler of a wrapped grpc.StreamDesc. On a Server it is
// inside the head interceptor and the user's stream interceptors, so the stack
// is running already; on a server built elsewhere it is where the call begins.
func (t *target) serveStream(srv any, ss grpc.ServerStream) error {
	ctx := ss.Context()
	if r := running(ctx, t.core.stack); r != nil && r.runs(ctx, t) {
		if !t.nested {
			r.flags.dispatch(false) // the user's code begins
		}
		return t.runStream(srv, ss)
	}
	if err := t.core.closed(ctx); err != nil {
		return err
	}
	l, err := t.core.mountLink(ctx, t.method.Name())
	if err != nil {
		return err
	}
	return t.core.serveStream(ss, t.method.Name(), t, l, func(w grpc.ServerStream) error {
		return t.runStream(srv, w)
	})
}

// runs tells whether the dispatch is about to run t and has been decided for it.
// A call in the context is not enough: what a handler dispatches again with its
// own context has another transport stream, or is no longer on its way to the
// handler.
func (r *rpc) runs(ctx context.Context, t *target) bool {
	if t.core == r.core && t != r.target {
		return false
	}
	return r.onItsWay(ctx, t.method.Name())
}

// onItsWay tells whether ctx is inside the interceptors of this very dispatch.
func (r *rpc) onItsWay(ctx context.Context, fullMethod string) bool {
	return r.flags.has(dispatching) && r.Path() == fullMethod && sameStream(r.wire, grpc.ServerTransportStreamFromContext(ctx))
}

// sameStream compares streams, which are pointers unless a test made its own.
func sameStream(a, b grpc.ServerTransportStream) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a).Comparable() && a == b
}

// isWrapped tells whether handler is one of the two methods above, bound to
// some target: all of those share one piece of code.
func isWrapped(handler any) bool {
	v := reflect.ValueOf(handler)
	if v.IsNil() {
		return false
	}
	return v.Pointer() == wrappedUnary || v.Pointer() == wrappedStream
}

var (
	wrappedUnary  = reflect.ValueOf((&target{}).serveUnary).Pointer()
	wrappedStream = reflect.ValueOf((&target{}).serveStream).Pointer()
)
