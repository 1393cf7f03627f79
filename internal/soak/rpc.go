package main

import (
	"context"
	"errors"
	"io"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// rpcShape is a kind of RPC as a client makes it.
type rpcShape struct {
	name string
	call func(ctx context.Context, client pb.ConformanceServiceClient) error
}

var rpcShapes = []rpcShape{
	{"unary", callUnary},
	{"client stream", callClientStream},
	{"server stream", callServerStream},
	{"bidi stream", callBidiStream},
}

// rpcBy makes calls of the shape over a connection.
func rpcBy(conn func(*site) grpc.ClientConnInterface, shape func(context.Context, pb.ConformanceServiceClient) error) func(context.Context, *site, call) outcome {
	return func(ctx context.Context, s *site, c call) outcome {
		ctx = metadata.AppendToOutgoingContext(ctx, idHeader, strconv.Itoa(c.id), actHeader, c.act.header(), "authorization", c.credential())
		if c.act == expire {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, expiry)
			defer cancel()
		}
		return outcome{code: status.Code(shape(ctx, pb.NewConformanceServiceClient(conn(s))))}
	}
}

// credential is the value of the Authorization header.
func (c call) credential() string {
	if c.act == forge {
		return "Bearer forged"
	}
	return "Bearer " + token
}

// errIncomplete is a call that succeeded without the answer it should have had.
var errIncomplete = status.Error(codes.DataLoss, "the answer is not what the handler sent")

func callUnary(ctx context.Context, client pb.ConformanceServiceClient) error {
	out, err := client.Unary(ctx, &pb.UnaryRequest{Text: text})
	if err == nil && out.GetText() != text {
		return errIncomplete
	}
	return err
}

func callClientStream(ctx context.Context, client pb.ConformanceServiceClient) error {
	stream, err := client.ClientStream(ctx)
	if err != nil {
		return err
	}
	for i := range messages {
		if stream.Send(&pb.ClientStreamRequest{Index: int32(i), Text: text}) != nil {
			break // CloseAndRecv has the status
		}
	}
	out, err := stream.CloseAndRecv()
	if err == nil && (out.GetCount() != messages || out.GetText() != text) {
		return errIncomplete
	}
	return err
}

func callServerStream(ctx context.Context, client pb.ConformanceServiceClient) error {
	stream, err := client.ServerStream(ctx, &pb.ServerStreamRequest{Text: text, Count: messages})
	if err != nil {
		return err
	}
	for received := 0; ; received++ {
		out, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && received == messages:
			return nil
		case errors.Is(err, io.EOF) || err == nil && out.GetText() != text:
			return errIncomplete
		case err != nil:
			return err
		}
	}
}

func callBidiStream(ctx context.Context, client pb.ConformanceServiceClient) error {
	stream, err := client.BidiStream(ctx)
	if err != nil {
		return err
	}
	for i := range messages {
		_ = stream.Send(&pb.BidiStreamRequest{Index: int32(i), Text: text}) // Recv has the status
		out, err := stream.Recv()
		if err != nil {
			return unexpectedEOF(err)
		}
		if out.GetIndex() != int32(i) || out.GetText() != text {
			return errIncomplete
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return errors.Join(errIncomplete, err)
	}
	return nil
}

// unexpectedEOF returns err, or errIncomplete for the end of a stream that is not
// over.
func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errIncomplete
	}
	return err
}
