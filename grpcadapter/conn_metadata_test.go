package grpcadapter_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConnMetadata compares what the handler receives of the caller's metadata,
// and what is refused.
func TestConnMetadata(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		pairs   []string
		refused bool
	}{
		{name: "none"},
		{name: "plain", pairs: []string{"x-a", "1", "X-A", "2", "authorization", "Bearer x", "x.y_z", ""}},
		{name: "binary", pairs: []string{"x-bin", "\x00\xff", "x-bin", "", "grpc-trace-bin", "\x01"}},
		{name: "reserved", pairs: []string{"content-type", "text/html", "user-agent", "me", "te", "x", "grpc-status", "1", "grpc-message", "no",
			"grpc-encoding", "gzip", "grpc-message-type", "x", "grpc-timeout", "1n", ":path", "/", ":authority", "evil.example"}},
		{name: "host", pairs: []string{"host", "evil.example"}},
		{name: "not reserved", pairs: []string{"grpc-previous-rpc-attempts", "1", "grpc-tags-bin", "x"}},
		{name: "reserved key, illegal value", pairs: []string{"content-type", "a\nb"}, refused: true},
		{name: "illegal key", pairs: []string{"x y", "1"}, refused: true},
		{name: "empty key", pairs: []string{"", "1"}, refused: true},
		{name: "illegal value", pairs: []string{"x-a", "a\nb"}, refused: true},
		{name: "umlaut", pairs: []string{"x-a", "ü"}, refused: true},
		{name: "advice of a gateway from nowhere", pairs: []string{httpwire.AdviceKey, "1"}, refused: true},
	}
	for _, c := range cases {
		compare(t, forKinds(c.name, func(k kindOfCall) scenario {
			calls := 1
			if c.refused {
				calls = 0
			}
			return scenario{
				serve: func(n *notes, s *service) {
					everyMethod(s, func(ctx context.Context, send func(string) error) error {
						md, _ := metadata.FromIncomingContext(ctx)
						n.server("incoming %s", showMD(md))
						out, _ := metadata.FromOutgoingContext(ctx)
						n.server("outgoing %s", showMD(out))
						name, ok := grpc.Method(ctx)
						n.server("method %q %v", name, ok)
						return send("a")
					})
				},
				call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
					k.whole(metadata.AppendToOutgoingContext(ctx, c.pairs...), n, conn, "a")
				},
				calls: calls,
			}
		}))
	}
}

// TestConnRefusesConnectionHeader covers the one key whose refusal over the wire
// shows as a broken stream.
func TestConnRefusesConnectionHeader(t *testing.T) {
	t.Parallel()
	client, _ := inProcess(t, interceptor.MustNew(), &service{})
	_, err := client.Unary(outgoing(t, "connection", "close"), &pb.UnaryRequest{})
	if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "connection") {
		t.Errorf("%v, want INTERNAL naming the key", err)
	}
}

// inProcess returns a client of impl behind stack without a wire, and its server.
func inProcess(t *testing.T, stack *interceptor.Stack, impl pb.ConformanceServiceServer, opts ...grpc.ServerOption) (pb.ConformanceServiceClient, *grpcadapter.Server) {
	t.Helper()
	srv := grpcadapter.NewServer(quiet(t, stack), opts...)
	pb.RegisterConformanceServiceServer(srv, impl)
	t.Cleanup(srv.GracefulStop) // hangs if a dispatch is left behind
	return pb.NewConformanceServiceClient(srv.Conn()), srv
}

// token is per-RPC credentials.
type token struct {
	md     map[string]string
	err    error
	secure bool
	seen   func(ctx context.Context, uri []string)
}

func (c token) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	if c.seen != nil {
		c.seen(ctx, uri)
	}
	return c.md, c.err
}

func (c token) RequireTransportSecurity() bool { return c.secure }

// TestConnCredentials compares what per-RPC credentials add, and how they fail.
func TestConnCredentials(t *testing.T) {
	t.Parallel()
	cases := map[string]token{
		"added":           {md: map[string]string{"Authorization": "Bearer x", "x-a": "2"}},
		"need security":   {secure: true, md: map[string]string{"authorization": "Bearer x"}},
		"fail":            {err: errors.New("no token")},
		"fail as status":  {err: status.Error(codes.Unavailable, "no token")},
		"fail as another": {err: status.Error(codes.NotFound, "no token")},
		"illegal":         {md: map[string]string{"x y": "1"}},
	}
	for name, creds := range cases {
		compare(t, forKinds(name, func(k kindOfCall) scenario {
			calls := 1
			if name != "added" {
				calls = 0
			}
			return scenario{
				serve: func(n *notes, s *service) {
					everyMethod(s, func(ctx context.Context, send func(string) error) error {
						md, _ := metadata.FromIncomingContext(ctx)
						n.server("incoming %s", showMD(md))
						return send("a")
					})
				},
				call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
					creds := creds
					creds.seen = func(ctx context.Context, uri []string) {
						info, _ := credentials.RequestInfoFromContext(ctx)
						n.add("hooks", "asked for %v %v", info.Method, strings.HasSuffix(uri[0], "/crosscut.conformance.v1.ConformanceService"))
					}
					k.whole(metadata.AppendToOutgoingContext(ctx, "x-a", "1"), n, conn, "a", grpc.PerRPCCredentials(creds))
				},
				calls: calls,
			}
		}))
	}
}

// TestConnOnFinish checks that OnFinish runs once on every way a call ends, and
// after the other options have their answers.
func TestConnOnFinish(t *testing.T) {
	t.Parallel()
	// once notes every run of the option, the call, and what was known by then.
	once := func(n *notes, header *metadata.MD) grpc.CallOption {
		return grpc.OnFinish(func(err error) { n.client("OnFinish %v header %s", status.Code(err), showMD(*header)) })
	}
	withHeader := func(_ *notes, s *service) {
		everyMethod(s, func(ctx context.Context, send func(string) error) error {
			_ = grpc.SetHeader(ctx, metadata.Pairs("x-h", "1"))
			return send("a")
		})
	}
	ways := []struct {
		name  string
		opts  []grpc.CallOption
		ctx   func(context.Context) context.Context
		text  string
		calls int
	}{
		{name: "success", text: "a", calls: 1},
		{name: "reply too large", text: "a", opts: []grpc.CallOption{grpc.MaxCallRecvMsgSize(1)}, calls: 1},
		{name: "request too large", text: "a", opts: []grpc.CallOption{grpc.MaxCallSendMsgSize(1)}, calls: -1},
		{name: "illegal metadata", ctx: func(ctx context.Context) context.Context {
			return metadata.AppendToOutgoingContext(ctx, "x y", "1")
		}},
		{name: "expired", ctx: func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		}},
	}
	for _, w := range ways {
		compare(t, forKinds(w.name, func(k kindOfCall) scenario {
			serve := withHeader
			if w.calls < 0 { // a handler that answers nevertheless may be faster than its client
				serve = func(_ *notes, s *service) { waiting(s, make(chan struct{}, 1), nil) }
			}
			return scenario{serve: serve, calls: w.calls, call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
				if w.ctx != nil {
					ctx = w.ctx(ctx)
				}
				var header metadata.MD
				k.whole(ctx, n, conn, w.text, append(w.opts, grpc.Header(&header), once(n, &header))...)
			}}
		}))
	}
}

// TestConnPeer checks who the sides are to each other.
func TestConnPeer(t *testing.T) {
	t.Parallel()
	var got peer.Peer
	see := func(ctx context.Context) {
		if p, ok := peer.FromContext(ctx); ok {
			got = *p
		}
	}
	client, _ := inProcess(t, interceptor.MustNew(interceptor.FromFuncs("peer", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
			p := c.Peer()
			if p.Addr == nil || p.Addr.Network() != "inprocess" || p.TLS != nil || c.RemoteAddr() != "" {
				t.Errorf("the hook's peer is %v, TLS %v; want one in process", p.Addr, p.TLS)
			}
			if c.Protocol() != "" || c.Scheme() != "" || c.HTTPMethod() != "" || c.Transport() != interceptor.GRPC {
				t.Errorf("protocol %q, scheme %q, HTTP method %q, transport %v", c.Protocol(), c.Scheme(), c.HTTPMethod(), c.Transport())
			}
			return ctx, nil
		},
	})), &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		see(ctx)
		return &pb.UnaryResponse{}, nil
	}})
	var server peer.Peer
	if _, err := client.Unary(within(t), &pb.UnaryRequest{}, grpc.Peer(&server)); err != nil {
		t.Fatal(err)
	}
	for who, p := range map[string]peer.Peer{"caller": got, "server": server} {
		if p.Addr == nil || p.Addr.Network() != "inprocess" || p.Addr.String() == "" || p.AuthInfo != nil {
			t.Errorf("the %s is %v, AuthInfo %v; want one in process", who, p.Addr, p.AuthInfo)
		}
	}
	stream, err := client.BidiStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := peer.FromContext(stream.Context()); !ok || p.Addr.Network() != "inprocess" {
		t.Errorf("the stream's context has the peer %v", p)
	}
	_ = stream.CloseSend()
	if _, err := stream.Recv(); err == nil {
		t.Error("no message was sent, but one received")
	}
}

// TestConnAuthority checks that the option decides the authority, and metadata
// does not.
func TestConnAuthority(t *testing.T) {
	t.Parallel()
	var got string
	client, _ := inProcess(t, interceptor.MustNew(interceptor.FromFuncs("authority", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
			got = c.Authority()
			return ctx, nil
		},
	})), &service{})
	for want, opts := range map[string][]grpc.CallOption{"": nil, "acme.example": {grpc.CallAuthority("acme.example")}} {
		if _, err := client.Unary(outgoing(t, ":authority", "evil.example", "host", "evil.example"), &pb.UnaryRequest{}, opts...); err != nil || got != want {
			t.Errorf("the authority is %q (%v), want %q", got, err, want)
		}
	}
}

// TestConnIgnoresWireOptions checks that options about the wire change nothing.
func TestConnIgnoresWireOptions(t *testing.T) {
	t.Parallel()
	client, _ := inProcess(t, interceptor.MustNew(), &service{})
	for name, opt := range map[string]grpc.CallOption{
		"StaticMethod": grpc.StaticMethod(), "WaitForReady": grpc.WaitForReady(true), "UseCompressor": grpc.UseCompressor("gzip"),
		"CallContentSubtype": grpc.CallContentSubtype("json"), "MaxRetryRPCBufferSize": grpc.MaxRetryRPCBufferSize(1),
		"own": struct{ grpc.EmptyCallOption }{},
	} {
		out, err := client.Unary(within(t), &pb.UnaryRequest{Text: "a"}, opt)
		if err != nil || out.GetText() != "a" {
			t.Errorf("%s: %v %v", name, out, err)
		}
	}
}

// TestConnMetadataIsCopied checks that neither side can change what the other
// holds.
func TestConnMetadataIsCopied(t *testing.T) {
	t.Parallel()
	header := metadata.Pairs("x-a", "1")
	client, _ := inProcess(t, interceptor.MustNew(), &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		md["x-in"][0] = "changed"
		return &pb.UnaryResponse{}, errors.Join(grpc.SetHeader(ctx, header), grpc.SetTrailer(ctx, header))
	}})
	sent := metadata.Pairs("x-in", "1")
	var got, trailer metadata.MD
	if _, err := client.Unary(metadata.NewOutgoingContext(within(t), sent), &pb.UnaryRequest{}, grpc.Header(&got), grpc.Trailer(&trailer)); err != nil {
		t.Fatal(err)
	}
	for _, md := range []metadata.MD{got, trailer} {
		md["x-a"][0] = "changed"
		maps.DeleteFunc(md, func(string, []string) bool { return true })
	}
	if sent["x-in"][0] != "1" || header["x-a"][0] != "1" {
		t.Errorf("the caller's metadata is %v, the handler's %v", sent, header)
	}
}
