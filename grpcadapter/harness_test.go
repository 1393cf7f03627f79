package grpcadapter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

const (
	unaryName  = "/crosscut.conformance.v1.ConformanceService/Unary"
	serverName = "/crosscut.conformance.v1.ConformanceService/ServerStream"
	clientName = "/crosscut.conformance.v1.ConformanceService/ClientStream"
	bidiName   = "/crosscut.conformance.v1.ConformanceService/BidiStream"
)

// service answers like an echo; tests replace single methods.
type service struct {
	pb.UnimplementedConformanceServiceServer
	unary        func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error)
	serverStream func(*pb.ServerStreamRequest, grpc.ServerStreamingServer[pb.ServerStreamResponse]) error
	clientStream func(grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error
	bidiStream   func(grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error
}

func (s *service) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	if s.unary != nil {
		return s.unary(ctx, in)
	}
	return &pb.UnaryResponse{Text: in.GetText()}, nil
}

func (s *service) ServerStream(in *pb.ServerStreamRequest, ss grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	if s.serverStream != nil {
		return s.serverStream(in, ss)
	}
	for i := range in.GetCount() {
		if err := ss.Send(&pb.ServerStreamResponse{Index: i, Text: in.GetText()}); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) ClientStream(ss grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error {
	if s.clientStream != nil {
		return s.clientStream(ss)
	}
	out := &pb.ClientStreamResponse{}
	for {
		in, err := ss.Recv()
		if errors.Is(err, io.EOF) {
			return ss.SendAndClose(out)
		}
		if err != nil {
			return err
		}
		out.Count++
		out.Text += in.GetText()
	}
}

func (s *service) BidiStream(ss grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	if s.bidiStream != nil {
		return s.bidiStream(ss)
	}
	for {
		in, err := ss.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ss.Send(&pb.BidiStreamResponse{Index: in.GetIndex(), Text: in.GetText()}); err != nil {
			return err
		}
	}
}

// trace collects what hooks saw, in order.
type trace struct {
	mu     sync.Mutex
	events []string
	ended  chan *interceptor.Call
}

func newTrace() *trace { return &trace{ended: make(chan *interceptor.Call, 1000)} }

func (tr *trace) add(event string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, event)
}

// String compresses "BR1 BR2 BR3" to "BR123".
func (tr *trace) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var words []string
	for _, e := range tr.events {
		if n := len(words); n > 0 && len(e) == 3 && strings.HasPrefix(words[n-1], e[:2]) && len(words[n-1]) >= 3 {
			words[n-1] += e[2:]
			continue
		}
		words = append(words, e)
	}
	return strings.Join(words, " ")
}

// end waits for the next call to end and returns it.
func (tr *trace) end(t *testing.T) *interceptor.Call {
	t.Helper()
	select {
	case c := <-tr.ended:
		return c
	case <-time.After(20 * time.Second):
		t.Fatal("no call has ended; AfterResponse must run for every call")
		return nil
	}
}

// probe is a hook that records every phase as name and number.
type probe struct {
	n  string
	tr *trace

	request  func(context.Context, *interceptor.Call) (context.Context, error)
	handler  func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error)
	receive  func(context.Context, *interceptor.Call, any) error
	send     func(context.Context, *interceptor.Call, any) error
	onError  func(context.Context, *interceptor.Call, error) error
	response func(context.Context, *interceptor.Call) error
	after    func(context.Context, *interceptor.Call)
}

func (p *probe) Name() string { return "probe" + p.n }

func (p *probe) BeforeRequest(ctx context.Context, c *interceptor.Call) (context.Context, error) {
	p.tr.add("BR" + p.n)
	if p.request != nil {
		return p.request(ctx, c)
	}
	return ctx, nil
}

func (p *probe) BeforeHandler(ctx context.Context, c *interceptor.Call, m *interceptor.Method) (context.Context, error) {
	p.tr.add("BH" + p.n)
	if p.handler != nil {
		return p.handler(ctx, c, m)
	}
	return ctx, nil
}

func (p *probe) OnReceive(ctx context.Context, c *interceptor.Call, msg any) error {
	p.tr.add("RX" + p.n)
	if p.receive != nil {
		return p.receive(ctx, c, msg)
	}
	return nil
}

func (p *probe) OnSend(ctx context.Context, c *interceptor.Call, msg any) error {
	p.tr.add("TX" + p.n)
	if p.send != nil {
		return p.send(ctx, c, msg)
	}
	return nil
}

func (p *probe) OnError(ctx context.Context, c *interceptor.Call, err error) error {
	p.tr.add("OE" + p.n)
	if p.onError != nil {
		return p.onError(ctx, c, err)
	}
	return err
}

func (p *probe) BeforeResponse(ctx context.Context, c *interceptor.Call) error {
	p.tr.add("RS" + p.n)
	if p.response != nil {
		return p.response(ctx, c)
	}
	return nil
}

func (p *probe) AfterResponse(ctx context.Context, c *interceptor.Call) {
	p.tr.add("AR" + p.n)
	if p.after != nil {
		p.after(ctx, c)
	}
	if p.n == "1" {
		c.Defer(func() { p.tr.ended <- c })
	}
}

// threeProbes returns a stack of three recording hooks; edit changes them.
func threeProbes(t *testing.T, tr *trace, edit func(p [3]*probe)) *interceptor.Stack {
	t.Helper()
	var p [3]*probe
	for i := range p {
		p[i] = &probe{n: fmt.Sprint(i + 1), tr: tr}
	}
	if edit != nil {
		edit(p)
	}
	return quiet(t, interceptor.MustNew(p[0], p[1], p[2]))
}

// quiet reports to the test's log.
func quiet(t *testing.T, s *interceptor.Stack) *interceptor.Stack {
	t.Helper()
	var mu sync.Mutex
	over := false
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
	})
	return s.ReportTo(func(_ context.Context, _ *interceptor.Call, err error) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			t.Log("reported:", err)
		}
	})
}

// server is what serve and dial need; *grpcadapter.Server and *grpc.Server are.
type server interface {
	grpc.ServiceRegistrar
	Serve(net.Listener) error
	Stop()
}

// serve starts srv in memory and returns a connection to it.
func serve(t *testing.T, srv server, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(lis) }()
	t.Cleanup(func() {
		srv.Stop()
		if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // stopped before it served
			t.Errorf("Serve: %v", err)
		}
	})
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
	}, opts...)
	conn, err := grpc.NewClient("passthrough:///bufconn", opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// start serves impl behind stack.
func start(t *testing.T, stack *interceptor.Stack, impl pb.ConformanceServiceServer, opts ...grpc.ServerOption) pb.ConformanceServiceClient {
	t.Helper()
	srv := grpcadapter.NewServer(stack, opts...)
	pb.RegisterConformanceServiceServer(srv, impl)
	return pb.NewConformanceServiceClient(serve(t, srv))
}

// result is what a client got of one RPC.
type result struct {
	texts           []string
	code            codes.Code
	message         string
	header, trailer metadata.MD
}

// kinds calls one method of every kind; each sends "a" and expects echoes.
var kinds = []struct {
	name string
	full string
	call func(context.Context, pb.ConformanceServiceClient) result
}{
	{"unary", unaryName, callUnary},
	{"server stream", serverName, callServerStream},
	{"client stream", clientName, callClientStream},
	{"bidi stream", bidiName, callBidiStream},
}

func callUnary(ctx context.Context, c pb.ConformanceServiceClient) (r result) {
	out, err := c.Unary(ctx, &pb.UnaryRequest{Text: "a"}, grpc.Header(&r.header), grpc.Trailer(&r.trailer))
	if err == nil {
		r.texts = []string{out.GetText()}
	}
	return r.with(err)
}

func callServerStream(ctx context.Context, c pb.ConformanceServiceClient) (r result) {
	s, err := c.ServerStream(ctx, &pb.ServerStreamRequest{Text: "a", Count: 2})
	if err != nil {
		return r.with(err)
	}
	for {
		m, err := s.Recv()
		if err != nil {
			return r.closed(s, err)
		}
		r.texts = append(r.texts, m.GetText())
	}
}

func callClientStream(ctx context.Context, c pb.ConformanceServiceClient) (r result) {
	s, err := c.ClientStream(ctx)
	if err != nil {
		return r.with(err)
	}
	_ = s.Send(&pb.ClientStreamRequest{Text: "a"}) // its error is in CloseAndRecv
	m, err := s.CloseAndRecv()
	if err == nil {
		r.texts = []string{m.GetText()}
	}
	return r.closed(s, err)
}

func callBidiStream(ctx context.Context, c pb.ConformanceServiceClient) (r result) {
	s, err := c.BidiStream(ctx)
	if err != nil {
		return r.with(err)
	}
	_ = s.Send(&pb.BidiStreamRequest{Text: "a"}) // its error is in Recv
	_ = s.CloseSend()
	for {
		m, err := s.Recv()
		if err != nil {
			return r.closed(s, err)
		}
		r.texts = append(r.texts, m.GetText())
	}
}

func (r result) with(err error) result {
	if errors.Is(err, io.EOF) {
		err = nil
	}
	r.code, r.message = status.Code(err), status.Convert(err).Message()
	return r
}

func (r result) closed(s grpc.ClientStream, err error) result {
	r.header, _ = s.Header()
	r.trailer = s.Trailer()
	return r.with(err)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func wantTrace(t *testing.T, tr *trace, want string) {
	t.Helper()
	if got := tr.String(); got != want {
		t.Errorf("phases:\n got %s\nwant %s", got, want)
	}
}

func wantValues(t *testing.T, what string, md metadata.MD, key string, want ...string) {
	t.Helper()
	if got := md.Get(key); !slices.Equal(got, want) {
		t.Errorf("%s %q = %q, want %q", what, key, got, want)
	}
}

type (
	serverStreamServer = grpc.ServerStreamingServer[pb.ServerStreamResponse]
	clientStreamServer = grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]
	bidiStreamServer   = grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]
)

// outgoing is a client's context with metadata.
func outgoing(t *testing.T, pairs ...string) context.Context {
	t.Helper()
	return metadata.AppendToOutgoingContext(within(t), pairs...)
}
