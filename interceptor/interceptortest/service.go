package interceptortest

import (
	"context"
	"errors"
	"io"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// handling is one run of the handler, the same on every transport.
type handling struct {
	ctx    context.Context
	call   *interceptor.Call
	text   string                  // what the client sent
	send   func(text string) error // one message of the response, or the body
	header func(key, value string) // sets a response header as a handler does
	flush  func() error            // on plain routes
}

// service is the conformance service and the plain handler: each receives what
// the client sends and then does what do says.
type service struct {
	pb.UnimplementedConformanceServiceServer
	rec  *recorder
	do   func(h *handling) error
	bidi func(grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error // instead of BidiStream
}

// begin notes that a handler has begun.
func (s *service) begin(ctx context.Context) *handling {
	call, _ := interceptor.CallFrom(ctx)
	s.rec.start(call)
	header := func(key, value string) { _ = grpc.SetHeader(ctx, metadata.Pairs(key, value)) }
	return &handling{ctx: ctx, call: call, header: header}
}

// run does what the trial asks for, now that the request has been received.
func (s *service) run(h *handling, text string) error {
	h.text = text
	s.rec.reach(h.call)
	return s.do(h)
}

// Unary answers with the last text that the handler sent.
func (s *service) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	h := s.begin(ctx)
	out := &pb.UnaryResponse{}
	h.send = func(text string) error {
		out.Text = text
		return nil
	}
	if err := s.run(h, in.GetText()); err != nil {
		return nil, err
	}
	return out, nil
}

// ServerStream sends every text as a message.
func (s *service) ServerStream(in *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	h := s.begin(stream.Context())
	h.send = func(text string) error { return stream.Send(&pb.ServerStreamResponse{Text: text}) }
	return s.run(h, in.GetText())
}

// ClientStream receives until the client is done.
func (s *service) ClientStream(stream grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error {
	h := s.begin(stream.Context())
	text, err := receiveAll(stream.Recv, (*pb.ClientStreamRequest).GetText)
	if err != nil {
		return err
	}
	out := &pb.ClientStreamResponse{}
	h.send = func(text string) error {
		out.Text = text
		return nil
	}
	if err := s.run(h, text); err != nil {
		return err
	}
	return stream.SendAndClose(out)
}

// BidiStream receives until the client is done, and only then answers, so that
// the phases of all kinds come in one order.
func (s *service) BidiStream(stream grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	h := s.begin(stream.Context())
	if s.bidi != nil {
		return s.bidi(stream)
	}
	text, err := receiveAll(stream.Recv, (*pb.BidiStreamRequest).GetText)
	if err != nil {
		return err
	}
	h.send = func(text string) error { return stream.Send(&pb.BidiStreamResponse{Text: text}) }
	return s.run(h, text)
}

func receiveAll[M any](recv func() (M, error), textOf func(M) string) (string, error) {
	text := ""
	for {
		m, err := recv()
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return "", err
		}
		text += textOf(m)
	}
}

// plain is the handler without messages: the text is the body.
func (s *service) plain(w http.ResponseWriter, r *http.Request) error {
	h := s.begin(r.Context())
	h.header = w.Header().Add
	h.flush = http.NewResponseController(w).Flush
	h.send = func(text string) error {
		_, err := io.WriteString(w, text)
		return err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return s.run(h, string(body))
}
