package grpcadapter

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
	"github.com/crosscut-go/crosscut/internal/racing"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

const (
	unaryRPC  = "/crosscut.conformance.v1.ConformanceService/Unary"
	serverRPC = "/crosscut.conformance.v1.ConformanceService/ServerStream"
)

// front is the HTTP side of a call: a caller with an address and TLS.
type front struct {
	outside
	beforeEnd []func()
}

func (f *front) Peer() driver.Peer {
	return driver.Peer{Remote: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7}, Local: &net.TCPAddr{Port: 443}, TLS: &tls.ConnectionState{ServerName: "shop"}}
}

func (f *front) BeforeEnd(g func()) { f.beforeEnd = append(f.beforeEnd, g) }

// handlers runs functions as the methods of the service.
type handlers struct {
	pb.UnimplementedConformanceServiceServer
	unary  func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error)
	stream func(grpc.ServerStreamingServer[pb.ServerStreamResponse]) error
}

func (h *handlers) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	return h.unary(ctx, in)
}

func (h *handlers) ServerStream(_ *pb.ServerStreamRequest, ss grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	return h.stream(ss)
}

// arrived begins a call over HTTP and returns it, the context of its handler and
// its HTTP side.
func arrived(t testing.TB, stack *interceptor.Stack) (*interceptor.Call, context.Context, *front) {
	t.Helper()
	call, wire := new(interceptor.Call), &front{}
	ctx := ops.Begin(call, stack, t.Context(), wire)
	if !ops.Request(call) {
		t.Fatal(ops.Failed(call))
	}
	return call, ctx, wire
}

type contextKey struct{}

// TestConnContinuesOnce checks the one dispatch that continues an HTTP call: it
// has the HTTP caller and the context's values, and no hook begins anew. The
// next one, and one that was not armed, are calls of their own.
func TestConnContinuesOnce(t *testing.T) {
	t.Parallel()
	for _, method := range []string{unaryRPC, serverRPC} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			requests, ends := 0, 0
			stack := interceptor.MustNew(interceptor.FromFuncs("count", interceptor.Funcs{
				BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) {
					requests++
					return ctx, nil
				},
				AfterResponse: func(context.Context, *interceptor.Call) { ends++ },
			}))
			var seen context.Context
			s := NewServer(stack)
			pb.RegisterConformanceServiceServer(s, &handlers{
				unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
					seen = ctx
					return &pb.UnaryResponse{}, nil
				},
				stream: func(ss grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
					seen = ss.Context()
					return nil
				},
			})
			call, ctx, wire := arrived(t, stack)
			ctx = context.WithValue(ctx, contextKey{}, "hook's")
			ctx = metadata.AppendToOutgoingContext(ctx, "x-a", "1", httpwire.AdviceKey, "1")
			ops.Arm(call, method)

			begin(t, s.Conn(), ctx, method)
			got, _ := interceptor.CallFrom(seen)
			checkCaller(seen, t, true)
			if got != call || requests != 1 || ends != 0 {
				t.Errorf("continued: the handler's call is %p, want %p; BeforeRequest ran %d times, AfterResponse %d", got, call, requests, ends)
			}
			if method == serverRPC && len(wire.beforeEnd) != 1 {
				t.Errorf("the HTTP side waits for %d dispatches, want 1", len(wire.beforeEnd))
			}

			begin(t, s.Conn(), ctx, method)
			got, _ = interceptor.CallFrom(seen)
			checkCaller(seen, t, false)
			if got == call || requests != 2 || ends != 1 {
				t.Errorf("a second dispatch: the same call %v, BeforeRequest %d times, AfterResponse %d; want a call of its own", got == call, requests, ends)
			}

			ops.Arm(call, "/another.Service/Method")
			begin(t, s.Conn(), ctx, method)
			if got, _ = interceptor.CallFrom(seen); got == call || requests != 3 {
				t.Error("a dispatch continued a call that was armed for another method")
			}
		})
	}
}

// begin makes one whole call of either method.
func begin(t *testing.T, conn *Conn, ctx context.Context, method string) { //nolint:revive // the connection is what is tested
	t.Helper()
	if method == unaryRPC {
		if err := conn.Invoke(ctx, method, &pb.UnaryRequest{}, &pb.UnaryResponse{}); err != nil {
			t.Fatal(err)
		}
		return
	}
	stream, err := pb.NewConformanceServiceClient(conn).ServerStream(ctx, &pb.ServerStreamRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

// checkCaller checks what a handler's context tells of its caller.
func checkCaller(ctx context.Context, t *testing.T, continued bool) {
	t.Helper()
	p, ok := peer.FromContext(ctx)
	if !ok {
		t.Fatal("the handler has no peer")
	}
	info, secure := p.AuthInfo.(credentials.TLSInfo)
	if continued != (p.Addr.String() == "192.0.2.1:7" && p.LocalAddr != nil && secure && info.State.ServerName == "shop") {
		t.Errorf("continued %v: the peer is %v, AuthInfo %v", continued, p.Addr, p.AuthInfo)
	}
	if !continued && (p.Addr.Network() != "inprocess" || p.AuthInfo != nil) {
		t.Errorf("a call of its own has the peer %v, AuthInfo %v", p.Addr, p.AuthInfo)
	}
	if has := ctx.Value(contextKey{}) != nil; has != continued {
		t.Errorf("continued %v: the hook's value is there: %v", continued, has)
	}
	in, _ := metadata.FromIncomingContext(ctx)
	if out, _ := metadata.FromOutgoingContext(ctx); len(out) != 0 || len(in) != 1 || len(in.Get("x-a")) != 1 {
		t.Errorf("continued %v: incoming %v, outgoing %v; want only what the caller sent, incoming", continued, in, out)
	}
}

// TestConnHandsOver checks that the handler of a continued stream goes on only
// when the HTTP side has taken its message and, after the first, asks for more,
// having written it; and that the HTTP side, before it ends the call, waits for a
// handler whose caller has gone.
func TestConnHandsOver(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew()
	sent, ended := make(chan error, 3), make(chan struct{})
	s := NewServer(stack)
	pb.RegisterConformanceServiceServer(s, &handlers{stream: func(ss grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
		defer close(ended)
		for {
			err := ss.Send(&pb.ServerStreamResponse{Text: "a"})
			sent <- err
			if err != nil {
				return err
			}
		}
	}})
	call, ctx, wire := arrived(t, stack)
	ops.Arm(call, serverRPC)
	stream, err := pb.NewConformanceServiceClient(s.Conn()).ServerStream(ctx, &pb.ServerStreamRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil { // they leave with the first message
		t.Fatal(err)
	}
	for range 100 {
		runtime.Gosched()
	}
	if len(sent) > 0 {
		t.Fatal("Send returned before the client has taken the message")
	}
	for range 2 {
		if len(sent) > 0 {
			t.Fatal("Send returned before the client, done with the first message, has asked for more")
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			runtime.Gosched()
		}
	}
	for range 2 {
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range wire.beforeEnd {
		f()
	}
	select {
	case <-ended:
	default:
		t.Error("the HTTP side did not wait for the handler")
	}
	if err := <-sent; status.Code(err) != codes.Canceled {
		t.Errorf("the Send that nobody took returned %v, want CANCELLED", err)
	}
	if n := call.Sent().Messages; n != 2 {
		t.Errorf("%d messages were counted, want the two that were taken", n)
	}
}

// TestConnSettled checks that the HTTP side gets errors as the RPC's side has
// settled them.
func TestConnSettled(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew()
	s := NewServer(stack)
	fail := status.Error(codes.NotFound, "gone")
	pb.RegisterConformanceServiceServer(s, &handlers{
		unary:  func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) { return nil, fail },
		stream: func(grpc.ServerStreamingServer[pb.ServerStreamResponse]) error { return fail },
	})
	for _, method := range []string{unaryRPC, serverRPC} {
		call, ctx, _ := arrived(t, stack)
		ops.Arm(call, method)
		var err error
		if method == unaryRPC {
			err = s.Conn().Invoke(ctx, method, &pb.UnaryRequest{}, &pb.UnaryResponse{})
		} else {
			stream, _ := pb.NewConformanceServiceClient(s.Conn()).ServerStream(ctx, &pb.ServerStreamRequest{})
			_, err = stream.Recv()
		}
		var settled httpwire.Settled
		if !errors.As(err, &settled) || status.Code(err) != codes.NotFound {
			t.Errorf("%s: %v (%T), want the settled NOT_FOUND", method, err, err)
		}
	}
}

// TestConnClientFailure checks that a request which the HTTP side cannot send
// ends the one call with that failure, and not as cancelled.
func TestConnClientFailure(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew()
	s := NewServer(stack)
	pb.RegisterConformanceServiceServer(s, &handlers{})
	call, ctx, wire := arrived(t, stack)
	ops.Arm(call, serverRPC)
	_, err := pb.NewConformanceServiceClient(s.Conn()).ServerStream(ctx, &pb.ServerStreamRequest{Text: "\xff"})
	if status.Code(err) != codes.Internal {
		t.Errorf("the HTTP side got %v, want INTERNAL", err)
	}
	for _, f := range wire.beforeEnd {
		f()
	}
	if failed := ops.Failed(call); interceptor.StatusOf(failed).Code() != codes.Internal {
		t.Errorf("the call failed with %v, want INTERNAL", failed)
	}
}

// TestLimitsOf pins the private fields of grpc-go that hold the size limits.
func TestLimitsOf(t *testing.T) {
	t.Parallel()
	server := grpc.NewServer(grpc.MaxRecvMsgSize(1), grpc.MaxSendMsgSize(2))
	defer server.Stop()
	if receive, send := limitsOf(server); receive != 1 || send != 2 {
		t.Errorf("limits %d, %d, want 1, 2", receive, send)
	}
	bare := grpc.NewServer()
	defer bare.Stop()
	if receive, send := limitsOf(bare); receive != defaultMaxRecv || send != defaultMaxSend {
		t.Errorf("defaults %d, %d, want %d, %d", receive, send, defaultMaxRecv, defaultMaxSend)
	}
}

// TestConnServerSendLimit checks the limit that over the wire only grpc-go learns
// of: in process the hooks do as well.
func TestConnServerSendLimit(t *testing.T) {
	t.Parallel()
	var outcome codes.Code
	s := NewServer(interceptor.MustNew(interceptor.FromFuncs("outcome", interceptor.Funcs{
		AfterResponse: func(_ context.Context, c *interceptor.Call) { outcome = c.Code() },
	})), grpc.MaxSendMsgSize(3))
	pb.RegisterConformanceServiceServer(s, &handlers{
		unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			return &pb.UnaryResponse{Text: "long"}, nil
		},
	})
	err := s.Conn().Invoke(t.Context(), unaryRPC, &pb.UnaryRequest{}, &pb.UnaryResponse{})
	if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "trying to send message larger than max (6 vs. 3)") || outcome != codes.ResourceExhausted {
		t.Errorf("the caller got %v, the hooks %v; want RESOURCE_EXHAUSTED", err, outcome)
	}
}

// linkedInvoke returns a function that makes one continued unary call.
func linkedInvoke(tb testing.TB) func() {
	tb.Helper()
	stack := interceptor.MustNew()
	s := NewServer(stack)
	pb.RegisterConformanceServiceServer(s, &handlers{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		return &pb.UnaryResponse{Text: "a"}, nil
	}})
	conn, wire := s.Conn(), &front{}
	in, out := &pb.UnaryRequest{Text: "a"}, &pb.UnaryResponse{}
	outgoing := metadata.NewOutgoingContext(tb.Context(), metadata.Pairs("x-a", "1"))
	var md metadata.MD
	header, trailer := grpc.Header(&md), grpc.Trailer(&md)
	return func() {
		call := new(interceptor.Call)
		ctx := ops.Begin(call, stack, outgoing, wire)
		ops.Request(call)
		ops.Arm(call, unaryRPC)
		if err := conn.Invoke(ctx, unaryRPC, in, out, header, trailer); err != nil {
			tb.Fatal(err)
		}
	}
}

// TestConnAllocations pins what a continued unary call costs, the call, its handler
// and both messages included.
func TestConnAllocations(t *testing.T) { // not parallel: it counts allocations
	if racing.Enabled {
		t.Skip("the race detector has pools forget what they are given")
	}
	if got := testing.AllocsPerRun(500, linkedInvoke(t)); got > 15 {
		t.Errorf("a continued unary call makes %v allocations, want 15", got)
	}
}

func BenchmarkConnLinked(b *testing.B) {
	call := linkedInvoke(b)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

func BenchmarkConnInvoke(b *testing.B) {
	s := NewServer(interceptor.MustNew())
	pb.RegisterConformanceServiceServer(s, &handlers{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		return &pb.UnaryResponse{Text: "a"}, nil
	}})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	in, out := &pb.UnaryRequest{Text: "a"}, &pb.UnaryResponse{}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Conn().Invoke(ctx, unaryRPC, in, out); err != nil {
			b.Fatal(err)
		}
	}
}
