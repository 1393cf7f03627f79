package fidelity_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// service does what the id of a request, or the text of a message, asks for.
type service struct {
	pb.UnimplementedConformanceServiceServer
	c *conversation
}

func (s *service) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	s.c.rpcs.Add(1)
	defer s.c.rpcs.Done()
	reply := &pb.UnaryResponse{Text: in.GetText()}
	if err, known := s.end(ctx, in.GetId()); known {
		return nil, err
	}
	switch in.GetId() {
	case "nil":
		return nil, nil //nolint:nilnil // what grpc-go makes of it is the question
	case "error and reply":
		return reply, status.Error(codes.Aborted, "both")
	case "not UTF-8":
		reply.Text = "\xff"
	case "large":
		reply.Text = strings.Repeat("l", 100<<10)
	}
	return reply, nil
}

// end does what every kind of RPC can be asked for, and tells whether the RPC
// ends with that.
func (s *service) end(ctx context.Context, id string) (error, bool) { //nolint:revive // it ends with the error, if with any
	switch id {
	case "facts":
		s.facts(ctx)
	case "metadata":
		s.metadata(ctx)
	case "header":
		_ = grpc.SetHeader(ctx, metadata.Pairs("x-one", "1"))
	case "send header":
		s.c.note("send: %v", grpc.SendHeader(ctx, metadata.Pairs("x-sent", "1")))
	case "header and error":
		_ = grpc.SetHeader(ctx, metadata.Pairs("x-one", "1"))
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-end", "1"))
		return status.Error(codes.NotFound, "nothing"), true
	case "trailer and error":
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-end", "1"))
		return status.Error(codes.NotFound, "nothing"), true
	case "compressor":
		s.c.note("compressor set: %t", grpc.SetSendCompressor(ctx, "gzip") == nil)
		names, _ := grpc.ClientSupportedCompressors(ctx)
		s.c.note("supported: %v", names)
	case "block":
		s.c.reach("inside")
		<-ctx.Done()
		s.c.note("ended: %v", ctx.Err())
		defer s.c.reach("gone")
		return ctx.Err(), true
	case "hold":
		s.c.reach("inside")
		s.c.wait("go on")
	default:
		err := failures[id]
		return err, err != nil
	}
	return nil, false
}

// failures are the errors of handlers.
var failures = map[string]error{
	"error":          status.Error(codes.NotFound, "no such thing"),
	"no text":        status.Error(codes.NotFound, ""),
	"unicode":        status.Error(codes.InvalidArgument, "100 % \u00fc\n\t\x7f \U0001f600"),
	"bad text":       status.Error(codes.InvalidArgument, "\xff\xfe"),
	"strange code":   status.Error(codes.Code(99), "strange"),
	"details":        detailed(&errdetails.ErrorInfo{Reason: "R", Domain: "d"}),
	"retry":          detailed(&errdetails.RetryInfo{}),
	"debug":          detailed(&errdetails.DebugInfo{Detail: "stack"}),
	"untyped":        errors.New("private text"),
	"wrapped":        fmt.Errorf("private text: %w", status.Error(codes.NotFound, "no such thing")),
	"own cancel":     context.Canceled,
	"own deadline":   context.DeadlineExceeded,
	"wrapped cancel": fmt.Errorf("private text: %w", context.Canceled),
	"EOF":            io.EOF,
}

func detailed(d interface {
	Reset()
	String() string
	ProtoMessage()
}) error {
	st, err := status.New(codes.FailedPrecondition, "not now").WithDetails(d)
	if err != nil {
		panic(err)
	}
	return st.Err()
}

// facts notes all that a handler can know of its RPC.
func (s *service) facts(ctx context.Context) {
	method, ok := grpc.Method(ctx)
	s.c.note("method %q %t", method, ok)
	p, ok := peer.FromContext(ctx)
	s.c.note("peer %t", ok)
	if ok {
		s.c.note("peer %s %T auth %v local %t", p.Addr.Network(), p.Addr, p.AuthInfo, p.LocalAddr != nil)
	}
	_, deadline := ctx.Deadline()
	s.c.note("deadline %t", deadline)
	s.c.note("stream %T", grpc.ServerTransportStreamFromContext(ctx))
	md, _ := metadata.FromIncomingContext(ctx)
	for _, key := range slices.Sorted(maps.Keys(md)) {
		if key != ":authority" {
			s.c.note("%s %q", key, md[key])
		}
	}
	out, _ := metadata.FromOutgoingContext(ctx)
	s.c.note("outgoing %v", out)
}

// metadata sets every kind of response metadata, also where it is too late.
func (s *service) metadata(ctx context.Context) {
	s.c.note("set: %v", grpc.SetHeader(ctx, metadata.Pairs("x-a", "1", "x-a", "2", "x-b-bin", "\x00\xff")))
	s.c.note("set: %v", grpc.SetHeader(ctx, metadata.Pairs("x-a", "3", "content-type", "text/plain", "grpc-status", "7")))
	s.c.note("trailer: %v", grpc.SetTrailer(ctx, metadata.Pairs("x-end", "1", "x-end-bin", "\x01")))
	s.c.note("send: %v", grpc.SendHeader(ctx, metadata.Pairs("x-sent", "1")))
	s.c.note("set late: %v", grpc.SetHeader(ctx, metadata.Pairs("x-late", "1")))
	s.c.note("send again: %v", grpc.SendHeader(ctx, metadata.Pairs("x-again", "1")))
	s.c.note("trailer: %v", grpc.SetTrailer(ctx, metadata.Pairs("x-end", "2")))
}

func (s *service) ServerStream(in *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	s.c.rpcs.Add(1)
	defer s.c.rpcs.Done()
	if err, known := s.end(stream.Context(), in.GetId()); known {
		return err
	}
	for i := range in.GetCount() {
		if err := stream.Send(&pb.ServerStreamResponse{Index: i, Text: in.GetText()}); err != nil {
			s.c.note("send: %v", err)
			return err
		}
	}
	switch in.GetId() {
	case "messages and error":
		stream.SetTrailer(metadata.Pairs("x-end", "1"))
		return status.Error(codes.DataLoss, "lost")
	case "not UTF-8":
		err := stream.Send(&pb.ServerStreamResponse{Text: "\xff"})
		s.c.note("send: %v", err)
		return err
	case "another message":
		err := stream.SendMsg("no message")
		s.c.note("send: %v", err)
		return err
	case "late header":
		s.c.note("set late: %v", stream.SetHeader(metadata.Pairs("x-late", "1")))
		s.c.note("send late: %v", stream.SendHeader(metadata.Pairs("x-late", "1")))
	case "receive more":
		err := stream.RecvMsg(new(pb.ServerStreamRequest))
		s.c.note("receive: %v same %t", err, err == io.EOF) //nolint:errorlint // the very same error is asked for
	}
	return nil
}

func (s *service) ClientStream(stream grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error {
	s.c.rpcs.Add(1)
	defer s.c.rpcs.Done()
	text, n := "", int32(0)
	for {
		in, err := stream.Recv()
		if err != nil {
			s.c.note("receive: %v same as io.EOF %t", err, err == io.EOF) //nolint:errorlint // the very same error is asked for
			if errors.Is(err, io.EOF) {
				_, err = stream.Recv()
				s.c.note("receive again: %v", err)
				break
			}
			return err
		}
		text, n = text+in.GetText(), n+1
		if err, known := s.end(stream.Context(), in.GetText()); known {
			return err
		}
		if in.GetText() == "enough" {
			break
		}
	}
	return stream.SendAndClose(&pb.ClientStreamResponse{Count: n, Text: text})
}

func (s *service) BidiStream(stream grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	s.c.rpcs.Add(1)
	defer s.c.rpcs.Done()
	for {
		in, err := stream.Recv()
		if err != nil {
			s.c.note("receive: %v same as io.EOF %t", err, err == io.EOF) //nolint:errorlint // the very same error is asked for
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err, known := s.end(stream.Context(), in.GetText()); known {
			return err
		}
		if err := stream.Send(&pb.BidiStreamResponse{Index: in.GetIndex(), Text: in.GetText()}); err != nil {
			s.c.note("send: %v", err)
			return err
		}
	}
}
