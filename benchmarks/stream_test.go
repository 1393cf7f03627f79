package benchmarks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	"github.com/crosscut-go/crosscut/benchmarks/rig"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// messages is how many messages each stream has.
const messages = 1000

// messageHook looks at every message and does nothing.
var messageHook = interceptor.FromFuncs("messages", interceptor.Funcs{
	OnReceive: func(context.Context, *interceptor.Call, any) error { return nil },
	OnSend:    func(context.Context, *interceptor.Call, any) error { return nil },
})

// wire is a stream that costs nothing.
type wire struct {
	ctx  context.Context
	left int
}

func (w *wire) Context() context.Context     { return w.ctx }
func (w *wire) SetHeader(metadata.MD) error  { return nil }
func (w *wire) SendHeader(metadata.MD) error { return nil }
func (w *wire) SetTrailer(metadata.MD)       {}
func (w *wire) SendMsg(any) error            { return nil }

// RecvMsg fills requests until none is left.
func (w *wire) RecvMsg(m any) error {
	if w.left == 0 {
		return io.EOF
	}
	w.left--
	if in, ok := m.(*pb.ServerStreamRequest); ok {
		in.Count = messages
	}
	return nil
}

// BenchmarkStreamDirect is a stream of 1,000 messages one way, without a socket.
func BenchmarkStreamDirect(b *testing.B) {
	run := func(b *testing.B, d *rig.Direct, name string, requests int) {
		ctx := rig.Incoming(b.Context(), &rig.Transport{Name: "/" + pb.ConformanceService_ServiceDesc.ServiceName + "/" + name}, sent...)
		measure(b, func() error { return d.Stream(name, &wire{ctx: ctx, left: requests}) })
	}
	for _, way := range []struct {
		name, method string
		requests     int
	}{{"send", "ServerStream", 1}, {"receive", "ClientStream", messages}} {
		b.Run("bare/"+way.name, func(b *testing.B) { run(b, rig.NewDirect(nil, nil), way.method, way.requests) })
		b.Run("crosscut/empty/"+way.name, func(b *testing.B) {
			run(b, rig.NewDirect(guardBy(interceptor.MustNew()), nil), way.method, way.requests)
		})
		b.Run("crosscut/message-hook/"+way.name, func(b *testing.B) {
			run(b, rig.NewDirect(guardBy(interceptor.MustNew(messageHook)), nil), way.method, way.requests)
		})
	}
}

// BenchmarkStreamLoopback is a stream of 1,000 messages from the server, over TCP.
func BenchmarkStreamLoopback(b *testing.B) {
	run := func(b *testing.B, srv contender.Server) {
		client := dial(b, srv)
		ctx := metadata.AppendToOutgoingContext(b.Context(), sent...)
		measure(b, func() error {
			stream, err := client.ServerStream(ctx, &pb.ServerStreamRequest{Text: "x", Count: messages})
			if err != nil {
				return err
			}
			n, err := drain(stream)
			if err == nil && n != messages {
				err = fmt.Errorf("%d messages arrived, want %d", n, messages)
			}
			return err
		})
	}
	b.Run("bare", func(b *testing.B) { run(b, contender.BareServer(nil)) })
	b.Run("crosscut/message-hook", func(b *testing.B) { run(b, crosscutServer(interceptor.MustNew(messageHook))) })
	for _, name := range []string{"crosscut", "go-grpc-middleware"} {
		b.Run(name+"/W5", func(b *testing.B) { run(b, contender.FindGRPC(name).Server(parts(b, contender.W5))) })
	}
}

func drain(stream grpc.ServerStreamingClient[pb.ServerStreamResponse]) (n int, err error) {
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}
