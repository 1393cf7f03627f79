package authn_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// stubborn has handlers that do not look at their context, or at what it says.
type stubborn struct {
	pb.UnimplementedConformanceServiceServer
}

// ServerStream sends for two minutes, unless it cannot.
func (stubborn) ServerStream(_ *pb.ServerStreamRequest, s grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	for range 120 {
		if err := s.Send(&pb.ServerStreamResponse{}); err != nil {
			return err
		}
		time.Sleep(time.Second) // virtual time
	}
	return nil
}

// ClientStream receives until it cannot.
func (stubborn) ClientStream(s grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error {
	for {
		if _, err := s.Recv(); err != nil {
			return err
		}
	}
}

// BidiStream waits for the end, and swallows the reason if the client says so.
func (stubborn) BidiStream(s grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	m, err := s.Recv()
	<-s.Context().Done()
	if m.GetText() == "swallow" {
		return err
	}
	return s.Context().Err()
}

// TestStreamsEndAtExpiryOnTheWire runs real clients and a real server in virtual
// time: a credential that expires buys no stream for ever, whatever the handler
// does.
func TestStreamsEndAtExpiryOnTheWire(t *testing.T) {
	t.Parallel()
	tests := map[string]func(ctx context.Context, c pb.ConformanceServiceClient) error{
		"the handler sends": func(ctx context.Context, c pb.ConformanceServiceClient) error {
			s, err := c.ServerStream(ctx, &pb.ServerStreamRequest{})
			for err == nil {
				_, err = s.Recv()
			}
			return err
		},
		"the handler receives": func(ctx context.Context, c pb.ConformanceServiceClient) error {
			s, err := c.ClientStream(ctx)
			for err == nil { // until the server ends the stream
				err = s.Send(&pb.ClientStreamRequest{})
				time.Sleep(time.Second) // virtual time
			}
			return s.RecvMsg(new(pb.ClientStreamResponse))
		},
		"the handler returns the reason":  bidi("pass on"),
		"the handler swallows the reason": bidi("swallow"),
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := call(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer x"), dial(t, expiring(start.Add(time.Minute)), stubborn{}))
				if st := status.Convert(err); st.Code() != codes.Unauthenticated || st.Message() != "the credential has expired" {
					t.Errorf("the client got %v; want Unauthenticated", err)
				}
				if d := time.Since(start); d < time.Minute || d > time.Minute+2*time.Second {
					t.Errorf("the stream ended after %v; want the minute its credential was good for", d)
				}
			})
		})
	}
}

func bidi(text string) func(context.Context, pb.ConformanceServiceClient) error {
	return func(ctx context.Context, c pb.ConformanceServiceClient) error {
		s, err := c.BidiStream(ctx)
		if err == nil {
			err = s.Send(&pb.BidiStreamRequest{Text: text})
		}
		if err == nil {
			_, err = s.Recv()
		}
		return err
	}
}
