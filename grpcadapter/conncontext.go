package grpcadapter

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// inProcessAddr is the address of callers within the process.
type inProcessAddr struct{}

// Network is "inprocess".
func (inProcessAddr) Network() string { return "inprocess" }

func (inProcessAddr) String() string { return "inprocess" }

// withoutValues is a context that ends with another and hides its values: the
// callee learns nothing of its caller but when to stop.
type withoutValues struct{ context.Context }

func (c withoutValues) Value(key any) any {
	if _, ok := key.(*int); ok {
		return c.Context.Value(key) // package context finds the nearest cancellable context by it
	}
	return nil
}

// serverContext is what the server side of d runs with.
func serverContext(ctx context.Context, md metadata.MD, d *dispatch) context.Context {
	who := &peer.Peer{Addr: inProcessAddr{}}
	if d.call == nil {
		ctx = withoutValues{ctx}
	} else {
		caller := d.call.Peer()
		if caller.Addr != nil {
			who.Addr = caller.Addr
		}
		who.LocalAddr = caller.LocalAddr
		if caller.TLS != nil {
			who.AuthInfo = credentials.TLSInfo{State: *caller.TLS, CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}
		}
		ctx = withLinked(metadata.NewOutgoingContext(ctx, nil), d.call)
	}
	ctx = metadata.NewIncomingContext(ctx, md)
	ctx = peer.NewContext(ctx, who)
	return grpc.NewContextWithServerTransportStream(ctx, &d.stream)
}

// serverTransport collects headers and trailers as a server transport does.
type serverTransport struct {
	method string
	size   int // encoded size of the last message, for counting

	mu      sync.Mutex
	header  metadata.MD
	trailer metadata.MD
	sent    bool
	onSent  chan struct{} // closed when the headers leave; nil on unary calls
}

var (
	_ grpc.ServerTransportStream = (*serverTransport)(nil)
	_ encoder                    = (*serverTransport)(nil)
)

var errHeaderSent = status.Error(codes.Internal, "transport: SendHeader called multiple times")

// Method returns the full method name.
func (s *serverTransport) Method() string { return s.method }

// SetHeader adds to the headers until they have left.
func (s *serverTransport) SetHeader(md metadata.MD) error {
	if len(md) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent {
		return errHeaderSent
	}
	s.header = metadata.Join(s.header, md)
	return nil
}

// SendHeader lets the headers leave.
func (s *serverTransport) SendHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent {
		return errHeaderSent
	}
	s.header = metadata.Join(s.header, md)
	s.leaveLocked()
	return nil
}

// Header returns the headers set so far.
func (s *serverTransport) Header() (metadata.MD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header.Copy(), nil
}

// SetTrailer adds to the trailers.
func (s *serverTransport) SetTrailer(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trailer = metadata.Join(s.trailer, md)
	return nil
}

// leaveHeaders lets the headers leave if they have not.
func (s *serverTransport) leaveHeaders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveLocked()
}

func (s *serverTransport) leaveLocked() {
	if s.sent {
		return
	}
	s.sent = true
	if s.onSent != nil {
		close(s.onSent)
	}
}

func (s *serverTransport) headersSent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

func (s *serverTransport) results() (header, trailer metadata.MD) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header, s.trailer
}

func (s *serverTransport) encode(msg any) error {
	size, err := encodedSize(msg)
	s.size = size
	return err
}
