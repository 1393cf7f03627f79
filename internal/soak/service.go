package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// messages is how many messages streams carry.
const messages = 4

// service has the handlers. Each does its ordinary work and, in the middle of it,
// what the ticket of its call asks for.
type service struct {
	pb.UnimplementedConformanceServiceServer
	book     *book
	released <-chan struct{} // ends the waiting of the act leave, for tests of shutdown; nil never does
}

// perform does what the call's ticket asks of its handler.
func (s *service) perform(ctx context.Context) error {
	t, ok := ticketKey.From(ctx)
	if !ok {
		return interceptor.NewError(codes.FailedPrecondition, "the call has no ticket")
	}
	switch t.act {
	case fail:
		return interceptor.NewError(codes.NotFound, "the handler fails")
	case crash:
		panic("the handler panics")
	case leave:
		s.book.begun(t.id)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.released:
			return nil
		}
	case expire:
		<-ctx.Done()
		return ctx.Err()
	default:
		return nil
	}
}

func (s *service) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	if err := s.perform(ctx); err != nil {
		return nil, err
	}
	return &pb.UnaryResponse{Text: in.GetText()}, nil
}

func (s *service) ServerStream(in *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	for i := range in.GetCount() {
		if err := stream.Send(&pb.ServerStreamResponse{Index: i, Text: in.GetText()}); err != nil {
			return err
		}
		if i == 0 {
			if err := s.perform(stream.Context()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *service) ClientStream(stream grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error {
	out := &pb.ClientStreamResponse{}
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(out)
		}
		if err != nil {
			return err
		}
		out.Count++
		out.Text = in.GetText()
		if out.GetCount() == 1 {
			if err := s.perform(stream.Context()); err != nil {
				return err
			}
		}
	}
}

func (s *service) BidiStream(stream grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	for first := true; ; first = false {
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
		if first {
			if err := s.perform(stream.Context()); err != nil {
				return err
			}
		}
	}
}

// echo answers with the request's body.
func (s *service) echo(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if err := s.perform(r.Context()); err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

// events sends server-sent events.
func (s *service) events(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	for i := range messages {
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", i, text); err != nil {
			return err
		}
		if err := flush(); err != nil {
			return err
		}
		if i == 0 {
			if err := s.perform(r.Context()); err != nil {
				return err
			}
		}
	}
	return nil
}
