package contender

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// Service is the service behind every contender.
type Service struct {
	pb.UnimplementedConformanceServiceServer
}

// Unary answers with the text of the request, and panics when asked to.
func (Service) Unary(_ context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	if in.GetId() == "panic" {
		panic("the request asked for it")
	}
	return &pb.UnaryResponse{Text: in.GetText()}, nil
}

// ServerStream answers as many messages as it is asked for.
func (Service) ServerStream(in *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	out := &pb.ServerStreamResponse{Text: in.GetText()}
	for range in.GetCount() {
		if err := stream.Send(out); err != nil {
			return err
		}
	}
	return nil
}

// ClientStream counts messages.
func (Service) ClientStream(stream grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error {
	for n := int32(0); ; n++ {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return stream.SendAndClose(&pb.ClientStreamResponse{Count: n})
		} else if err != nil {
			return err
		}
	}
}

// BidiStream answers each message with one.
func (Service) BidiStream(stream grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.BidiStreamResponse{Index: in.GetIndex(), Text: in.GetText()}); err != nil {
			return err
		}
	}
}
