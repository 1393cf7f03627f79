package grpcadapter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// everyKind is a service whose every handler does f, streams before they
// receive or send.
func everyKind(f func(ctx context.Context) error) *service {
	return &service{
		unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			return &pb.UnaryResponse{}, f(ctx)
		},
		serverStream: func(_ *pb.ServerStreamRequest, ss serverStreamServer) error { return f(ss.Context()) },
		clientStream: func(ss clientStreamServer) error { return f(ss.Context()) },
		bidiStream:   func(ss bidiStreamServer) error { return f(ss.Context()) },
	}
}

// TestPanic checks that a panic of handlers and of hooks is INTERNAL without its
// text, and that the server lives on.
func TestPanic(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			client := start(t, threeProbes(t, tr, nil), everyKind(func(context.Context) error { panic("secret") }))
			for range 2 { // the next call works
				got := kind.call(within(t), client)
				if got.code != codes.Internal || strings.Contains(got.message, "secret") {
					t.Errorf("client got %v %q", got.code, got.message)
				}
				call := tr.end(t)
				var p *interceptor.PanicError
				if !errors.As(call.Err(), &p) || p.Value != "secret" || !bytes.Contains(p.Stack, []byte("outcome_test.go")) {
					t.Errorf("AfterResponse saw %v", call.Err())
				}
			}
		})
	}
}

// TestPanicOfHook panics in one hook's phases, AfterResponse among them.
func TestPanicOfHook(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := threeProbes(t, tr, func(p [3]*probe) {
		p[1].handler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			panic("secret")
		}
		p[1].after = func(context.Context, *interceptor.Call) { panic("secret") }
	})
	got := callBidiStream(within(t), start(t, stack, &service{}))
	tr.end(t)
	wantTrace(t, tr, "BR123 BH12 OE321 RS321 AR321")
	if got.code != codes.Internal || strings.Contains(got.message, "secret") {
		t.Errorf("client got %v %q", got.code, got.message)
	}
}

// TestGoexit ends the handler's goroutine: as on a bare server the client gets
// nothing, but AfterResponse runs.
func TestGoexit(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			client := start(t, threeProbes(t, tr, nil), everyKind(func(context.Context) error {
				runtime.Goexit()
				return nil
			}))
			ctx, cancel := context.WithCancel(within(t))
			go kind.call(ctx, client)
			call := tr.end(t)
			cancel()
			if call.Code() != codes.Internal || !strings.Contains(call.Err().Error(), "Goexit") {
				t.Errorf("AfterResponse saw %v", call.Err())
			}
		})
	}
}

// TestCancel checks that a cancelled call is CANCELLED even where the handler
// returns nil, and that AfterResponse runs once.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			started := make(chan struct{})
			client := start(t, threeProbes(t, tr, nil), everyKind(func(ctx context.Context) error {
				close(started)
				<-ctx.Done()
				return nil
			}))
			ctx, cancel := context.WithCancel(within(t))
			go func() {
				<-started
				cancel()
			}()
			if got := kind.call(ctx, client); got.code != codes.Canceled {
				t.Errorf("client got %v", got.code)
			}
			if call := tr.end(t); call.Code() != codes.Canceled {
				t.Errorf("AfterResponse saw %v", call.Err())
			}
			if s := tr.String(); strings.Count(s, "AR321") != 1 || !strings.Contains(s, "OE321") {
				t.Errorf("phases: %s", s)
			}
		})
	}
}

// TestDeadline checks that an expired call is DEADLINE_EXCEEDED although grpc-go
// often cancels its context (grpc/grpc-go#8961).
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			client := start(t, threeProbes(t, tr, nil), everyKind(func(ctx context.Context) error {
				<-ctx.Done() // the client's reset may come a moment before
				if deadline, ok := ctx.Deadline(); ok {
					<-time.After(time.Until(deadline))
				}
				return nil
			}))
			// Long enough to reach the handler on a busy machine; what is tested does
			// not depend on it.
			ctx, cancel := context.WithTimeout(within(t), time.Second)
			defer cancel()
			if got := kind.call(ctx, client); got.code != codes.DeadlineExceeded {
				t.Errorf("client got %v", got.code)
			}
			if call := tr.end(t); call.Code() != codes.DeadlineExceeded {
				t.Errorf("AfterResponse saw %v %v", call.Code(), call.Err())
			}
		})
	}
}

// TestStreamAfterItsHandler: a stream that a handler has handed to somebody is of
// no use once the handler has returned.
func TestStreamAfterItsHandler(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	var kept bidiStreamServer
	client := start(t, threeProbes(t, tr, nil), &service{bidiStream: func(ss bidiStreamServer) error {
		kept = ss
		return nil
	}})
	callBidiStream(within(t), client)
	tr.end(t)
	_, received := kept.Recv()
	for what, err := range map[string]error{"Send": kept.Send(&pb.BidiStreamResponse{}), "Recv": received, "SendHeader": kept.SendHeader(nil)} {
		if got := status.Convert(err).Message(); got != "the stream was used after its handler returned" {
			t.Errorf("%s: %q", what, got)
		}
	}
	if s := tr.String(); strings.Contains(s, "TX") || strings.Contains(s, "RX") {
		t.Errorf("phases: %s; nothing may follow the end", s)
	}
}

// TestHandlerError checks what a client gets for errors of handlers.
func TestHandlerError(t *testing.T) {
	t.Parallel()
	typed, err := status.New(codes.NotFound, "no such thing").WithDetails(durationpb.New(1))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name    string
		err     error
		code    codes.Code
		message string
		details int
	}{
		{"status", typed.Err(), codes.NotFound, "no such thing", 1},
		{"wrapped status", fmt.Errorf("secret: %w", typed.Err()), codes.NotFound, "no such thing", 1},
		{"own error", interceptor.NewError(codes.Aborted, "again", interceptor.WithCause(errors.New("secret"))), codes.Aborted, "again", 0},
		{"untyped", errors.New("secret"), codes.Unknown, "internal error", 0},
		{"end of file", io.EOF, codes.Unknown, "internal error", 0},
		{"canceled", context.Canceled, codes.Canceled, "context canceled", 0},
		{"deadline", context.DeadlineExceeded, codes.DeadlineExceeded, "context deadline exceeded", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			client := start(t, threeProbes(t, tr, nil), everyKind(func(context.Context) error { return c.err }))
			for _, kind := range kinds {
				got := kind.call(within(t), client)
				if got.code != c.code || got.message != c.message {
					t.Errorf("%s: client got %v %q, want %v %q", kind.name, got.code, got.message, c.code, c.message)
				}
				if len(got.header) != 0 { // else it is not trailers-only, as a bare server's error is
					t.Errorf("%s: the error came with separate headers %v", kind.name, got.header)
				}
				if call := tr.end(t); !errors.Is(call.Err(), c.err) {
					t.Errorf("%s: AfterResponse saw %v", kind.name, call.Err())
				}
			}
			_, err := client.Unary(within(t), &pb.UnaryRequest{})
			if n := len(status.Convert(err).Details()); n != c.details {
				t.Errorf("client got %d details, want %d", n, c.details)
			}
		})
	}
}

// badProto sends bytes that are no message, under the name of the stock codec.
type badProto struct{ encoding.CodecV2 }

func (badProto) Marshal(any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer([]byte{0xff})}, nil
}
func (badProto) Name() string { return "proto" }

// TestUndecodableRequest checks that a failure to decode is observed once, with
// the code that grpc-go has sent by itself, and that what hooks had set before
// reaches the client.
func TestUndecodableRequest(t *testing.T) {
	t.Parallel()
	codec := badProto{encoding.GetCodecV2("proto")}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
					return ctx, errors.Join(c.ResponseHeader().Set("x-early", "h"), c.ResponseTrailer().Set("x-trail", "t"))
				}
				p[0].onError = func(context.Context, *interceptor.Call, error) error {
					return status.Error(codes.DataLoss, "ignored: the status has left")
				}
			})
			srv := grpcadapter.NewServer(stack)
			pb.RegisterConformanceServiceServer(srv, &service{})
			conn := serve(t, srv, grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec)))
			got := kind.call(within(t), pb.NewConformanceServiceClient(conn))
			call := tr.end(t)
			if got.code != codes.Internal || call.Code() != codes.Internal {
				t.Errorf("client got %v, AfterResponse saw %v, want Internal", got.code, call.Err())
			}
			wantTrace(t, tr, "BR123 BH123 OE321 AR321")
			wantValues(t, "header", got.header, "x-early", "h")
			wantValues(t, "trailer", got.trailer, "x-trail", "t")
		})
	}
}

// TestTooLargeRequest is another failure that grpc-go answers by itself.
func TestTooLargeRequest(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	client := start(t, threeProbes(t, tr, nil), &service{}, grpc.MaxRecvMsgSize(10))
	_, err := client.Unary(within(t), &pb.UnaryRequest{Text: "longer than ten bytes"})
	if call := tr.end(t); status.Code(err) != codes.ResourceExhausted || call.Code() != codes.ResourceExhausted {
		t.Errorf("client got %v, AfterResponse saw %v", err, call.Err())
	}
}

// TestUnencodableReply replies with invalid UTF-8: never an OK for hooks.
func TestUnencodableReply(t *testing.T) {
	t.Parallel()
	bad := string([]byte{0xff})
	impl := &service{
		unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			return &pb.UnaryResponse{Text: bad}, nil
		},
		serverStream: func(_ *pb.ServerStreamRequest, ss serverStreamServer) error {
			return ss.Send(&pb.ServerStreamResponse{Text: bad})
		},
		clientStream: func(ss clientStreamServer) error { return ss.SendAndClose(&pb.ClientStreamResponse{Text: bad}) },
		bidiStream: func(ss bidiStreamServer) error {
			_ = ss.Send(&pb.BidiStreamResponse{Text: bad}) // swallowed, but the status has left
			return nil
		},
	}
	want := map[string]string{
		unaryName:  "BR123 BH123 RX123 TX321 OE321 RS321 AR321",
		serverName: "BR123 BH123 RX123 TX321 RS321 OE321 AR321",
		clientName: "BR123 BH123 TX321 RS321 OE321 AR321",
		bidiName:   "BR123 BH123 TX321 RS321 OE321 AR321",
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			got := kind.call(within(t), start(t, threeProbes(t, tr, nil), impl))
			call := tr.end(t)
			if got.code != codes.Internal || !strings.Contains(got.message, "invalid UTF-8") || call.Code() != codes.Internal {
				t.Errorf("client got %v %q, AfterResponse saw %v", got.code, got.message, call.Err())
			}
			wantTrace(t, tr, want[kind.full])
		})
	}
}

// TestUnencodableReplyWithForcedCodec uses a codec that encodes what proto does
// not, and fails where proto does not: the codec in use counts.
func TestUnencodableReplyWithForcedCodec(t *testing.T) {
	t.Parallel()
	impl := &service{unary: func(_ context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		return &pb.UnaryResponse{Text: in.GetText()}, nil
	}}
	tr := newTrace()
	codec := &pickyCodec{CodecV2: encoding.GetCodecV2("proto")}
	client := start(t, threeProbes(t, tr, nil), impl, grpc.ForceServerCodecV2(codec))
	if _, err := client.Unary(within(t), &pb.UnaryRequest{Text: "good"}); err != nil {
		t.Error(err)
	}
	tr.end(t)
	_, err := client.Unary(within(t), &pb.UnaryRequest{Text: "bad"})
	if call := tr.end(t); status.Code(err) != codes.Internal || call.Code() != codes.Internal {
		t.Errorf("client got %v, AfterResponse saw %v", err, call.Err())
	}
}

// pickyCodec refuses to encode one reply that is valid in proto.
type pickyCodec struct{ encoding.CodecV2 }

func (c *pickyCodec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*pb.UnaryResponse); ok && m.GetText() == "bad" {
		return nil, errors.New("picky")
	}
	return c.CodecV2.Marshal(v)
}

// countingConn counts the bytes that the server reads from its socket.
type countingListener struct {
	net.Listener
	read *atomic.Int64
}

type countingConn struct {
	net.Conn
	read *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{c, l.read}, nil
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// TestRejectionReadsNoBody rejects a request of 30 MiB before its body is read:
// unary methods are called before any byte of the message since grpc-go 1.84.
func TestRejectionReadsNoBody(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := threeProbes(t, tr, func(p [3]*probe) {
		p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
			if len(c.RequestHeader().Values("x-pass")) == 0 {
				return nil, interceptor.NewError(codes.Unauthenticated, "who are you")
			}
			return ctx, nil
		}
	})
	srv := grpcadapter.NewServer(stack, grpc.MaxRecvMsgSize(64<<20))
	pb.RegisterConformanceServiceServer(srv, &service{})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var read atomic.Int64
	go func() { _ = srv.Serve(countingListener{lis, &read}) }() // Stop ends it
	t.Cleanup(srv.Stop)
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := pb.NewConformanceServiceClient(conn)
	_, err = client.Unary(within(t), &pb.UnaryRequest{Text: strings.Repeat("x", 30<<20)})
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("client got %v", err)
	}
	if n := read.Load(); n >= 128<<10 {
		t.Errorf("the server read %d bytes of a rejected request, want less than 128 KiB", n)
	}
	for range 2 { // the connection stays usable
		if out, err := client.Unary(outgoing(t, "x-pass", "1"), &pb.UnaryRequest{Text: "a"}); err != nil || out.GetText() != "a" {
			t.Errorf("after the rejection: %v, %v", out, err)
		}
	}
}

// panicky is a codec that panics where it is told to.
type panicky struct {
	encoding.CodecV2
	decode bool
}

func (p panicky) Marshal(v any) (mem.BufferSlice, error) {
	if !p.decode {
		panic("secret")
	}
	return p.CodecV2.Marshal(v)
}

func (p panicky) Unmarshal(data mem.BufferSlice, v any) error {
	if p.decode {
		panic("secret")
	}
	return p.CodecV2.Unmarshal(data, v)
}

// TestPanicOfCodec panics outside of the handler: while a request is decoded, and
// while the reply of a hook is encoded.
func TestPanicOfCodec(t *testing.T) {
	t.Parallel()
	for _, decode := range []bool{true, false} {
		for _, kind := range kinds {
			t.Run(fmt.Sprint("decoding ", decode, "/", kind.name), func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := threeProbes(t, tr, func(p [3]*probe) {
					p[2].handler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
						if decode {
							return ctx, nil
						}
						return ctx, c.Reply(replyFor(kind.full))
					}
				})
				codec := panicky{encoding.GetCodecV2("proto"), decode}
				got := kind.call(within(t), start(t, stack, &service{}, grpc.ForceServerCodecV2(codec)))
				call := tr.end(t)
				if got.code != codes.Internal || strings.Contains(got.message, "secret") || call.Code() != codes.Internal {
					t.Errorf("client got %+v, AfterResponse saw %v", got, call.Err())
				}
			})
		}
	}
}
