package grpcadapter

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// inProcessAddr is the address of callers within the process.
type inProcessAddr struct{}

// Network is "inprocess".
func (inProcessAddr) Network() string { return "inprocess" }

// String is "inprocess".
func (inProcessAddr) String() string { return "inprocess" }

// withoutValues is a context that ends when another does and hides its values:
// the callee learns nothing of its caller but when to stop. Hidden with the
// values is the cause of a cancellation, which does not cross the wire either.
type withoutValues struct{ context.Context }

// Value returns nil.
func (withoutValues) Value(any) any { return nil }

// AfterFunc spares contexts derived from this one a goroutine: package context
// looks for the method, and could not find the hidden context otherwise.
func (c withoutValues) AfterFunc(f func()) (stop func() bool) {
	return context.AfterFunc(c.Context, f)
}

// serverContext is what the server side of the call runs with. entered ends with
// the caller's context and has its values only on a call that is continued.
func (d *dispatch) serverContext(entered context.Context, md metadata.MD) context.Context {
	ctx := entered
	d.caller.Addr = inProcessAddr{}
	if d.call != nil {
		d.callerIsHTTP()
		// What a handler sends on is its own choice, as behind a wire.
		ctx = withLinked(metadata.NewOutgoingContext(ctx, nil), d.call)
	}
	ctx = metadata.NewIncomingContext(ctx, md)
	ctx = peer.NewContext(ctx, &d.caller)
	return grpc.NewContextWithServerTransportStream(ctx, &d.stream)
}

// callerIsHTTP takes over the peer of a continued call. Only there is it known
// who asks, since only there the call is the same.
func (d *dispatch) callerIsHTTP() {
	from := d.call.Peer()
	if from.Addr != nil {
		d.caller.Addr = from.Addr
	}
	d.caller.LocalAddr = from.LocalAddr
	if from.TLS != nil {
		d.caller.AuthInfo = credentials.TLSInfo{
			State:          *from.TLS,
			CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
		}
	}
}
