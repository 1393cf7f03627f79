package grpcadapter

import (
	"maps"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// serverTransport is the grpc.ServerTransportStream of a call in process: it
// collects headers and trailers as grpc-go's server transport does. Its methods
// may be called from any goroutine.
type serverTransport struct {
	method  string
	maxSend int

	// The encoded sizes of the latest message each way. One goroutine receives
	// and one sends, and each reads only its own.
	received, encoded int

	mu      sync.Mutex
	header  metadata.MD
	trailer metadata.MD
	sent    bool          // the headers have left
	ended   bool          // the status has left
	onSent  chan struct{} // closed with sent or ended; nil on unary calls
}

var (
	_ grpc.ServerTransportStream = (*serverTransport)(nil)
	_ encoder                    = (*serverTransport)(nil)
	_ sizer                      = (*serverTransport)(nil)
)

// sizer is what an in-process grpc.ServerTransportStream knows besides: the
// encoded sizes of the messages received and sent last.
type sizer interface {
	receivedSize() int
	sentSize() int
}

// errHeaderSent is grpc-go's error for headers and trailers that come too late.
var errHeaderSent = status.Error(codes.Internal, "transport: SendHeader called multiple times")

// Method returns the full method name.
func (s *serverTransport) Method() string { return s.method }

// SetHeader adds to the headers until they have left.
func (s *serverTransport) SetHeader(md metadata.MD) error {
	if md.Len() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent || s.ended {
		return errHeaderSent
	}
	return join(&s.header, md)
}

// SendHeader adds to the headers and lets them leave.
func (s *serverTransport) SendHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent || s.ended {
		return errHeaderSent
	}
	if err := join(&s.header, md); err != nil {
		return err
	}
	s.leave()
	return nil
}

// Header returns the headers set so far.
func (s *serverTransport) Header() (metadata.MD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header.Copy(), nil
}

// Trailer returns the trailers set so far.
func (s *serverTransport) Trailer() metadata.MD {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trailer.Copy()
}

// SetTrailer adds to the trailers until the call has ended.
func (s *serverTransport) SetTrailer(md metadata.MD) error {
	if md.Len() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errHeaderSent
	}
	return join(&s.trailer, md)
}

// join adds md to what was set before, with keys in lower case. What would break
// the connection on the wire is refused.
func join(set *metadata.MD, md metadata.MD) error {
	joined := metadata.Join(*set, md)
	if err := checkPairs(joined); err != nil {
		return err
	}
	*set = joined
	return nil
}

// commit lets the headers leave ahead of a message.
func (s *serverTransport) commit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sent {
		s.leave()
	}
}

// end is the status leaving. Without a message before it, headers leave only if
// there are any; otherwise the response is trailers alone, as on the wire.
func (s *serverTransport) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	switch {
	case s.sent:
	case len(s.header) > 0:
		s.leave()
	case s.onSent != nil:
		close(s.onSent)
	}
}

// leave marks the headers as sent; s.mu is held.
func (s *serverTransport) leave() {
	s.sent = true
	if s.onSent != nil {
		close(s.onSent)
	}
}

// headers are what the client sees: nil if none have left.
func (s *serverTransport) headers() metadata.MD {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sent {
		return nil
	}
	return outgoing(s.header)
}

// trailers are what the client sees: nil before the end.
func (s *serverTransport) trailers() metadata.MD {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		return nil
	}
	return outgoing(s.trailer)
}

// outgoing returns a copy of md without what the wire does not carry.
func outgoing(md metadata.MD) metadata.MD {
	out := md.Copy() // never nil: headers that have left may be empty
	maps.DeleteFunc(out, func(key string, _ []string) bool { return reserved(key) })
	return out
}

// encode fails where the wire would fail to send msg, and remembers its size.
func (s *serverTransport) encode(msg any) error {
	size, err := encodedSize(msg)
	if err == nil && size > s.maxSend {
		err = tooLargeToSend(size, s.maxSend)
	}
	s.encoded = size
	return err
}

func (s *serverTransport) receivedSize() int { return s.received }

func (s *serverTransport) sentSize() int { return s.encoded }
