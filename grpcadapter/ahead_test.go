package grpcadapter_test

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestReadAhead: a handler that sends before it receives makes the adapter read
// the first message for the hook that waits for it. The handler then gets that
// message in whatever Go type it asks for, and an error where none can be made.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	greet := func(in any) grpc.StreamHandler {
		return func(_ any, ss grpc.ServerStream) error {
			if err := ss.SendMsg(&pb.BidiStreamResponse{Text: "hello"}); err != nil {
				return err
			}
			if err := ss.RecvMsg(in); err != nil {
				return err
			}
			text := ""
			switch m := in.(type) {
			case *pb.BidiStreamRequest:
				text = m.GetText()
			case *dynamicpb.Message:
				text = m.Get(m.Descriptor().Fields().ByName("text")).String()
			}
			return ss.SendMsg(&pb.BidiStreamResponse{Text: text})
		}
	}
	const known, unknown = "crosscut.conformance.v1.ConformanceService", "none.of.Ours"
	for name, test := range map[string]struct {
		service string
		in      any
		want    codes.Code
		texts   []string
	}{
		"generated":     {known, new(pb.BidiStreamRequest), codes.OK, []string{"hello", "a"}},
		"dynamic":       {known, dynamicpb.NewMessage((&pb.BidiStreamRequest{}).ProtoReflect().Descriptor()), codes.OK, []string{"hello", "a"}},
		"no message":    {known, new(string), codes.Internal, []string{"hello"}},
		"no descriptor": {unknown, new(pb.BidiStreamRequest), codes.Internal, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[1].handler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					c.AwaitMessage()
					return ctx, nil
				}
			})
			srv := grpcadapter.NewServer(stack)
			stream := grpc.StreamDesc{StreamName: "BidiStream", Handler: greet(test.in), ClientStreams: true, ServerStreams: true}
			srv.RegisterService(&grpc.ServiceDesc{ServiceName: test.service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{stream}}, nil)
			conn := serve(t, srv)
			ss, err := conn.NewStream(within(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/"+test.service+"/BidiStream")
			if err != nil {
				t.Fatal(err)
			}
			_ = ss.SendMsg(&pb.BidiStreamRequest{Text: "a"}) // its error is in RecvMsg
			_ = ss.CloseSend()
			var got result
			for {
				out := new(pb.BidiStreamResponse)
				if err := ss.RecvMsg(out); err != nil {
					got = got.with(err)
					break
				}
				got.texts = append(got.texts, out.GetText())
			}
			if call := tr.end(t); got.code != test.want || !slices.Equal(got.texts, test.texts) || call.Code() != test.want {
				t.Errorf("client got %+v, AfterResponse saw %v; want %q and %v", got, call.Err(), test.texts, test.want)
			}
		})
	}
}
