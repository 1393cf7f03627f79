package fidelity_test

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// mirror answers with the metadata it receives and with an error, if one is set.
type mirror struct {
	pb.UnimplementedConformanceServiceServer
	mu   sync.Mutex
	got  metadata.MD
	fail error
}

func (m *mirror) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got, _ = metadata.FromIncomingContext(ctx)
	return &pb.UnaryResponse{Text: in.GetText()}, m.fail
}

// conns are two connections to one server: over the wire, and in process.
type conns struct {
	wire, inside pb.ConformanceServiceClient
	raw          [2]grpc.ClientConnInterface
	mirror       *mirror
}

func newConns(tb testing.TB) *conns {
	tb.Helper()
	m := &mirror{}
	srv := grpcadapter.NewServer(quiet(interceptor.MustNew(idle{})))
	pb.RegisterConformanceServiceServer(srv, m)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	go func() { _ = srv.Serve(lis) }()
	tb.Cleanup(srv.Stop)
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &conns{
		wire: pb.NewConformanceServiceClient(conn), inside: pb.NewConformanceServiceClient(srv.Conn()),
		raw: [2]grpc.ClientConnInterface{conn, srv.Conn()}, mirror: m,
	}
}

// FuzzMetadata: metadata arrives in process as it does over the wire, or is
// refused as there.
func FuzzMetadata(f *testing.F) {
	for _, seed := range [][3]string{
		{"x-a", "1", "2"}, {"authorization", "Bearer a", "Bearer b"}, {"trace-bin", "\x00\xff", ""}, {"authorization-bin", "Bearer a", ""},
		{"grpc-timeout", "1S", ""}, {"grpc-status", "0", ""}, {"content-type", "text/plain", ""}, {":path", "/x", ""}, {"te", "gzip", ""},
		{"host", "other.test", ""}, {"connection", "close", ""}, {"x a", "1", ""}, {"X-Upper", "1", ""}, {"", "1", ""},
		{"x-line", "a\r\nb: c", ""}, {"x-nul", "\x00", ""}, {"x-high", "\xc3\xbc", ""}, {"x-space", " a ", "\t"}, {"grpc-tags-bin", "t", ""},
		{"user-agent", "own", ""}, {"cookie", "a=b; c=d", "e"}, {"x-comma", "a, b", ","}, {"x-comma-bin", "a,b", ","},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	to := newConns(f)
	f.Fuzz(func(t *testing.T, key, first, second string) {
		ctx := metadata.NewOutgoingContext(t.Context(), metadata.Pairs(key, first, key, second))
		wire, wireErr := received(ctx, to, to.wire)
		inside, insideErr := received(ctx, to, to.inside)
		if status.Code(wireErr) != status.Code(insideErr) {
			t.Fatalf("over the wire %v, in process %v", wireErr, insideErr)
		}
		for _, md := range []metadata.MD{wire, inside} {
			for _, ofWire := range []string{"content-type", "user-agent", ":authority", "grpc-accept-encoding"} {
				delete(md, ofWire)
			}
		}
		if !maps.EqualFunc(wire, inside, slices.Equal[[]string]) {
			t.Errorf("over the wire %q, in process %q", map[string][]string(wire), map[string][]string(inside))
		}
	})
}

func received(ctx context.Context, to *conns, api pb.ConformanceServiceClient) (metadata.MD, error) {
	to.mirror.got = nil
	_, err := api.Unary(ctx, &pb.UnaryRequest{})
	return to.mirror.got, err
}

// FuzzStatusOverEveryWay: a status is the same in process as over the wire.
func FuzzStatusOverEveryWay(f *testing.F) {
	for _, message := range []string{"", "plain", "100 %", "\u00fc\n\r\x7f", "\xff\xfe", "\U0001f600", "%C3%BC", strings.Repeat("long", 500)} {
		f.Add(uint32(codes.NotFound), message)
		f.Add(uint32(99), message)
	}
	f.Add(uint32(codes.OK), "fine")
	to := newConns(f)
	f.Fuzz(func(t *testing.T, code uint32, message string) {
		to.mirror.fail = status.Error(codes.Code(code&0x7fffffff), message)
		defer func() { to.mirror.fail = nil }()
		_, wireErr := to.wire.Unary(t.Context(), &pb.UnaryRequest{})
		_, insideErr := to.inside.Unary(t.Context(), &pb.UnaryRequest{})
		wire, inside := status.Convert(wireErr), status.Convert(insideErr)
		if wire.Code() != inside.Code() || wire.Message() != inside.Message() {
			t.Errorf("over the wire %v %q, in process %v %q", wire.Code(), wire.Message(), inside.Code(), inside.Message())
		}
	})
}

// FuzzMethodName: no spelling of a method's name reaches in process what it does
// not reach over the wire.
func FuzzMethodName(f *testing.F) {
	for _, path := range paths {
		f.Add(path)
	}
	f.Add(unary)
	to := newConns(f)
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 1<<10 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) || !strings.HasPrefix(name, "/") {
			t.Skip("grpc-go's client cannot send it")
		}
		var got [2]error
		for i, conn := range to.raw {
			got[i] = conn.Invoke(t.Context(), name, &pb.UnaryRequest{Text: "x"}, &pb.UnaryResponse{})
		}
		if status.Code(got[0]) != status.Code(got[1]) || (got[0] == nil) != (name == unary) && status.Code(got[0]) == codes.OK {
			t.Errorf("%q: over the wire %v, in process %v", name, got[0], got[1])
		}
	})
}

// FuzzRoute: a Mux matches what http.ServeMux matches, and the decision is for
// the very pattern that runs.
func FuzzRoute(f *testing.F) {
	for _, target := range []string{
		"/", "/items/1", "//items/1", "/items/../admin", "/items/%2e%2e/admin", "/items/..%2fadmin", "/files/..%2fadmin", "/files/a/b", "/files/../items/1", "/tree/%2e%2e/admin", "/items/a%2Fb",
		"/ITEMS/1", "/items/1/", "/admin;x", "/admin?public=1", "/%61dmin", "/admin%00", "/items/%zz", "*", "/./admin", "/admin/.", "/a\\..\\admin",
	} {
		f.Add("GET", target)
		f.Add("POST", target)
	}
	f.Add("DELETE", "/items/1")
	f.Add("CONNECT", "/items/1")
	patterns := []string{"GET /items/{id}", "/files/{name...}", "/admin", "POST /items/{id}", "h.test/admin", "/tree/"}
	var decided, ran string
	stack := interceptor.MustNew(interceptor.FromFuncs("decides", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			decided = m.Name()
			return ctx, nil
		},
	}))
	own, stock := httpadapter.NewMux(stack), http.NewServeMux()
	for _, p := range patterns {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ran = p
			_, _ = w.Write([]byte(r.Pattern + r.PathValue("id") + r.PathValue("name")))
		})
		own.Handle(p, h)
		stock.Handle(p, h)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Skip("net/http does not parse it")
		}
		answer := func(h http.Handler) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, (&http.Request{Method: method, URL: u, Host: "h.test", RequestURI: target, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(t.Context()))
			return rec
		}
		bare := answer(stock)
		decided, ran = "", ""
		wrapped := answer(own)
		if decided != ran {
			t.Errorf("%s %q: decided for %q, ran %q", method, target, decided, ran)
		}
		body := bare.Body.String()
		if (strings.HasPrefix(body, "/files/{name...}") || strings.HasPrefix(body, "/tree/")) && httpwire.HasDotSegment(u.Path) {
			if wrapped.Code != http.StatusBadRequest || ran != "" {
				t.Errorf("%s %q: a pattern for the rest of the path took a dot segment: %d, ran %q", method, target, wrapped.Code, ran)
			}
			return
		}
		if bare.Code != wrapped.Code || bare.Body.String() != wrapped.Body.String() || !maps.EqualFunc(bare.Header(), wrapped.Header(), slices.Equal[[]string]) {
			t.Errorf("%s %q: bare %d %q %v, wrapped %d %q %v", method, target, bare.Code, bare.Body, bare.Header(), wrapped.Code, wrapped.Body, wrapped.Header())
		}
	})
}
