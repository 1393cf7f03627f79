package grpcadapter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// notes is what the sides of a call saw, each in its own order.
type notes struct {
	mu    sync.Mutex
	lines map[string][]string
	ended chan struct{} // one token per AfterResponse
}

func newNotes() *notes {
	return &notes{lines: map[string][]string{}, ended: make(chan struct{}, 100)}
}

func (n *notes) add(side, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines[side] = append(n.lines[side], fmt.Sprintf(format, args...))
}

func (n *notes) client(format string, args ...any) { n.add("client", format, args...) }
func (n *notes) server(format string, args ...any) { n.add("server", format, args...) }

// String shows one side after the other.
func (n *notes) String() string { return n.only("client", "server", "hooks") }

func (n *notes) only(sides ...string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b strings.Builder
	for _, side := range sides {
		for _, line := range n.lines[side] {
			fmt.Fprintf(&b, "  %s: %s\n", side, line)
		}
	}
	return b.String()
}

// show renders an error by what a client may rely on.
func show(err error) string {
	switch {
	case err == nil:
		return "nil"
	case err == io.EOF: //nolint:errorlint // grpc-go promises this very value
		return "EOF"
	}
	st, ok := status.FromError(err)
	if !ok {
		return "RAW " + err.Error()
	}
	if st.Code() == codes.DeadlineExceeded { // either side may notice first, in its own words
		return st.Code().String()
	}
	return fmt.Sprintf("%v %q %v", st.Code(), st.Message(), st.Details())
}

// showMD renders metadata without what only a wire adds.
func showMD(md metadata.MD) string {
	var keys []string
	for key := range md {
		switch key {
		case "content-type", "user-agent", ":authority", "grpc-accept-encoding", "grpc-status-details-bin":
			continue
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&b, "%s=%q ", key, md[key])
	}
	return "[" + strings.TrimSpace(b.String()) + "]"
}

// watched returns a stack that notes the outcome of every call.
func watched(t *testing.T, n *notes) *interceptor.Stack {
	t.Helper()
	return quiet(t, interceptor.MustNew(interceptor.FromFuncs("watch", interceptor.Funcs{
		OnError: func(_ context.Context, _ *interceptor.Call, err error) error {
			n.add("hooks", "OnError %v", interceptor.StatusOf(err).Code())
			return err
		},
		OnReceive: func(context.Context, *interceptor.Call, any) error { return nil },
		OnSend:    func(context.Context, *interceptor.Call, any) error { return nil },
		AfterResponse: func(_ context.Context, c *interceptor.Call) {
			n.add("hooks", "AfterResponse %v received %d sent %d", c.Code(), c.Received().Messages, c.Sent().Messages)
			c.Defer(func() { n.ended <- struct{}{} })
		},
	})))
}

// scenario is one call, or a few, whose course over the wire is what must happen
// in process too.
type scenario struct {
	name  string
	opts  []grpc.ServerOption
	serve func(n *notes, s *service)
	call  func(ctx context.Context, n *notes, conn grpc.ClientConnInterface)
	calls int // how many of them hooks see; -1 where that depends on timing over the wire
}

// runScenario runs s over one connection, in process or over the wire.
func runScenario(t *testing.T, s scenario, inProcess bool) string {
	t.Helper()
	n := newNotes()
	srv := grpcadapter.NewServer(watched(t, n), s.opts...)
	impl := &service{}
	if s.serve != nil {
		s.serve(n, impl)
	}
	pb.RegisterConformanceServiceServer(srv, impl)
	var conn grpc.ClientConnInterface = srv.Conn()
	if !inProcess {
		conn = serve(t, srv)
	}
	ctx := within(t)
	s.call(ctx, n, conn)
	for range max(s.calls, 0) {
		select {
		case <-n.ended:
		case <-ctx.Done():
			t.Fatalf("a call has not ended; so far\n%v", n)
		}
	}
	if s.calls < 0 {
		return n.only("client")
	}
	select {
	case <-n.ended:
		t.Fatalf("more than %d calls reached the hooks\n%v", s.calls, n)
	default:
	}
	return n.only("client", "server", "hooks")
}

// compare runs each scenario over the wire and in process, which must not
// differ.
func compare(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			wire := runScenario(t, s, false)
			local := runScenario(t, s, true)
			if wire != local {
				t.Errorf("in process the call went differently\nwire:\n%sin process:\n%s", wire, local)
			}
			if testing.Verbose() {
				t.Logf("over the wire:\n%s", wire)
			}
		})
	}
}

// kindOfCall opens a stream of any method and has messages for it.
type kindOfCall struct {
	name    string
	desc    grpc.StreamDesc
	full    string
	request func(text string) proto.Message
	reply   func() proto.Message
}

var kindsOfCall = []kindOfCall{
	{"unary", grpc.StreamDesc{}, unaryName,
		func(text string) proto.Message { return &pb.UnaryRequest{Text: text} },
		func() proto.Message { return &pb.UnaryResponse{} }},
	{"server stream", grpc.StreamDesc{ServerStreams: true}, serverName,
		func(text string) proto.Message { return &pb.ServerStreamRequest{Text: text, Count: 2} },
		func() proto.Message { return &pb.ServerStreamResponse{} }},
	{"client stream", grpc.StreamDesc{ClientStreams: true}, clientName,
		func(text string) proto.Message { return &pb.ClientStreamRequest{Text: text} },
		func() proto.Message { return &pb.ClientStreamResponse{} }},
	{"bidi stream", grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, bidiName,
		func(text string) proto.Message { return &pb.BidiStreamRequest{Text: text} },
		func() proto.Message { return &pb.BidiStreamResponse{} }},
}

// forKinds makes a scenario for every kind of call.
func forKinds(name string, build func(k kindOfCall) scenario) []scenario {
	var all []scenario
	for _, k := range kindsOfCall {
		s := build(k)
		s.name = name + "/" + k.name
		all = append(all, s)
	}
	return all
}

// whole makes one call of the kind with one request, and notes all that the
// client can see of it.
func (k kindOfCall) whole(ctx context.Context, n *notes, conn grpc.ClientConnInterface, text string, opts ...grpc.CallOption) {
	if k.name == "unary" {
		var header, trailer metadata.MD
		out := k.reply()
		opts = append(opts, grpc.Header(&header), grpc.Trailer(&trailer))
		err := conn.Invoke(ctx, k.full, k.request(text), out, opts...)
		n.client("Invoke %s %s header %s trailer %s", show(err), textOf(out), showMD(header), showMD(trailer))
		return
	}
	stream, err := conn.NewStream(ctx, &k.desc, k.full, opts...)
	if err != nil {
		n.client("NewStream %s", show(err))
		return
	}
	if err := stream.SendMsg(k.request(text)); err != nil && !errors.Is(err, io.EOF) {
		n.client("SendMsg %s", show(err)) // io.EOF depends on how far the server is
	}
	_ = stream.CloseSend()
	header, err := stream.Header()
	n.client("Header %v %s %s", header == nil, showMD(header), show(err))
	for range 10 {
		out := k.reply()
		err := stream.RecvMsg(out)
		n.client("RecvMsg %s %s", show(err), textOf(out))
		if err != nil {
			break
		}
	}
	// After a message over the limit grpc-go reads on in the middle of it, so the
	// second error tells nothing.
	again := stream.RecvMsg(k.reply())
	n.client("again %v %v, SendMsg then %s, trailer %s", again != nil, again == io.EOF, show(sendAfterEnd(k, stream)), showMD(stream.Trailer())) //nolint:errorlint // grpc-go promises this very value
}

func sendAfterEnd(k kindOfCall, stream grpc.ClientStream) error {
	if !k.desc.ClientStreams {
		return nil // it was closed with the first message
	}
	return stream.SendMsg(k.request("late"))
}

func textOf(m proto.Message) string {
	return m.(interface{ GetText() string }).GetText()
}

// everyMethod replaces all handlers of s by one that sees the context and how to
// send a message, and returns the error.
func everyMethod(s *service, handle func(ctx context.Context, send func(text string) error) error) {
	s.unary = func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		var out *pb.UnaryResponse
		err := handle(ctx, func(text string) error { out = &pb.UnaryResponse{Text: text}; return nil })
		return out, err
	}
	s.serverStream = func(_ *pb.ServerStreamRequest, ss serverStreamServer) error {
		return handle(ss.Context(), func(text string) error { return ss.Send(&pb.ServerStreamResponse{Text: text}) })
	}
	s.clientStream = func(ss clientStreamServer) error {
		return handle(ss.Context(), func(text string) error { return ss.SendAndClose(&pb.ClientStreamResponse{Text: text}) })
	}
	s.bidiStream = func(ss bidiStreamServer) error {
		return handle(ss.Context(), func(text string) error { return ss.Send(&pb.BidiStreamResponse{Text: text}) })
	}
}
