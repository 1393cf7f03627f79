package rig

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// Direct calls the generated handler of Unary without a socket.
type Direct struct {
	desc  *grpc.ServiceDesc
	impl  any
	unary grpc.UnaryServerInterceptor
}

// NewDirect registers the service where guard says, and calls it through unary;
// either may be nil.
func NewDirect(guard func(grpc.ServiceRegistrar) grpc.ServiceRegistrar, unary grpc.UnaryServerInterceptor) *Direct {
	d := &Direct{unary: unary}
	var to grpc.ServiceRegistrar = d
	if guard != nil {
		to = guard(to)
	}
	pb.RegisterConformanceServiceServer(to, contender.Service{})
	return d
}

// DirectOf is NewDirect for a contender that can be called so.
func DirectOf(c contender.GRPC, p *contender.Parts) *Direct {
	if c.Guard != nil {
		return NewDirect(func(to grpc.ServiceRegistrar) grpc.ServiceRegistrar { return c.Guard(p, to) }, nil)
	}
	return NewDirect(nil, c.Unary(p))
}

// RegisterService keeps what is registered.
func (d *Direct) RegisterService(desc *grpc.ServiceDesc, impl any) { d.desc, d.impl = desc, impl }

// Unary calls the method; decode fills the request as the transport would.
func (d *Direct) Unary(ctx context.Context, decode func(any) error) (any, error) {
	return d.desc.Methods[0].Handler(d.impl, ctx, decode, d.unary)
}

// Stream calls the handler of a streaming method.
func (d *Direct) Stream(name string, ss grpc.ServerStream) error {
	for i := range d.desc.Streams {
		if d.desc.Streams[i].StreamName == name {
			return d.desc.Streams[i].Handler(d.impl, ss)
		}
	}
	panic("rig.Direct.Stream: the service has no stream " + name)
}

// Incoming is the context of a call as grpc-go makes it: with a peer, the metadata
// of a usual client and md, and a transport that takes headers.
func Incoming(ctx context.Context, transport grpc.ServerTransportStream, md ...string) context.Context {
	ctx = peer.NewContext(ctx, &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}})
	usual := []string{":authority", "books.example", "user-agent", "grpc-go/1.85.0", "content-type", "application/grpc"}
	ctx = metadata.NewIncomingContext(ctx, metadata.Pairs(append(usual, md...)...))
	return grpc.NewContextWithServerTransportStream(ctx, transport)
}

// Transport is a transport of gRPC that costs nothing. With Keep it keeps headers.
type Transport struct {
	Name   string
	Keep   bool
	Header metadata.MD
}

// Method returns the full name of the method.
func (t *Transport) Method() string { return t.Name }

// SetHeader takes response headers.
func (t *Transport) SetHeader(md metadata.MD) error {
	if t.Keep {
		t.Header = metadata.Join(t.Header, md)
	}
	return nil
}

// SendHeader takes response headers.
func (t *Transport) SendHeader(md metadata.MD) error { return t.SetHeader(md) }

// SetTrailer takes nothing.
func (t *Transport) SetTrailer(metadata.MD) error { return nil }
