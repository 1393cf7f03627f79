package grpcadapter

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/crosscut-go/crosscut/interceptor"
)

// serverContext is the context that the server side of a dispatch runs with. It is
// part of the dispatch and answers by itself what the packages of grpc-go ask a
// context for, each of which would otherwise wrap it once more. Beyond that it has
// the values of parent.
type serverContext struct {
	lifetime
	stream *serverTransport
	md     metadata.MD       // incoming
	call   *interceptor.Call // the call that is continued, nil for a call of its own

	asked  sync.Once
	caller peer.Peer // once asked for
}

// The keys under which others keep what a serverContext answers.
var (
	outgoingKey = askedKey(func(ctx context.Context) { _, _ = metadata.FromOutgoingContext(ctx) })
	peerKey     = askedKey(func(ctx context.Context) { _, _ = peer.FromContext(ctx) })
	streamKey   = askedKey(func(ctx context.Context) { _ = grpc.ServerTransportStreamFromContext(ctx) })
	lifetimeKey = askedKey(func(ctx context.Context) { _ = context.Cause(ctx) })
)

// answersAll tells whether every function that reads a key finds what is kept under
// it. Should a version of grpc-go keep one otherwise, contexts are wrapped instead.
var answersAll = func() bool {
	if incomingKey == nil || outgoingKey == nil || peerKey == nil || streamKey == nil {
		return false
	}
	c := &serverContext{stream: &serverTransport{}, md: metadata.MD{}}
	c.parent = context.Background()
	_, hasIncoming := metadata.FromIncomingContext(c)
	_, hasPeer := peer.FromContext(c)
	return hasIncoming && hasPeer && grpc.ServerTransportStreamFromContext(c) != nil
}()

// askedKey returns the key that a function asks a context for which has ended: only
// of those package context wants to know the cause.
func askedKey(ask func(context.Context)) any {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	asked := &asksBack{Context: ended}
	ask(asked)
	return asked.key
}

// Value returns what the server side was given, or the value of parent. What a
// handler sends on is its own choice, as behind a wire: the outgoing metadata of
// the gateway is hidden.
func (c *serverContext) Value(key any) any {
	switch key {
	case nil: // a key that is not known
	case incomingKey:
		return c.md
	case streamKey:
		return c.stream
	case peerKey:
		c.asked.Do(c.readPeer)
		return &c.caller
	case outgoingKey:
		return nil
	case linkedKey{}:
		if c.call == nil {
			return nil
		}
		return c.call
	case lifetimeKey:
		return c.cancelable().Value(key)
	}
	return c.parent.Value(key)
}

// String names the context for those who print it, metadata left out.
func (c *serverContext) String() string { return "crosscut.inProcess(" + c.stream.method + ")" }

// wrapped is c with what the packages of grpc-go put into it themselves.
func (c *serverContext) wrapped() context.Context {
	ctx := metadata.NewIncomingContext(c, c.md)
	if c.call != nil {
		ctx = metadata.NewOutgoingContext(ctx, nil)
	}
	c.asked.Do(c.readPeer)
	return grpc.NewContextWithServerTransportStream(peer.NewContext(ctx, &c.caller), c.stream)
}

// readPeer takes over the peer of a continued call. Only there is it known who
// asks, since only there the call is the same.
func (c *serverContext) readPeer() {
	c.caller.Addr = inProcessAddr{}
	if c.call == nil {
		return
	}
	from := c.call.Peer()
	if from.Addr != nil {
		c.caller.Addr = from.Addr
	}
	c.caller.LocalAddr = from.LocalAddr
	if from.TLS != nil {
		c.caller.AuthInfo = credentials.TLSInfo{
			State:          *from.TLS,
			CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
		}
	}
}

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
