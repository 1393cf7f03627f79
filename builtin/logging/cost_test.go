package logging_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/racing"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// registrar keeps what is registered, so that its handler can be called without
// a socket.
type registrar struct {
	desc *grpc.ServiceDesc
	impl any
}

func (r *registrar) RegisterService(desc *grpc.ServiceDesc, impl any) { r.desc, r.impl = desc, impl }

type service struct {
	pb.UnimplementedConformanceServiceServer
}

var sameResponse = &pb.UnaryResponse{}

func (service) Unary(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	return sameResponse, nil
}

type transport struct{ grpc.ServerTransportStream }

func (transport) Method() string               { return pb.ConformanceService_Unary_FullMethodName }
func (transport) SetHeader(metadata.MD) error  { return nil }
func (transport) SendHeader(metadata.MD) error { return nil }
func (transport) SetTrailer(metadata.MD) error { return nil }

// directRPC returns a function that calls the generated handler behind hooks, as
// grpc-go would; without a stack there is nothing between.
func directRPC(tb testing.TB, stack *interceptor.Stack) func() {
	tb.Helper()
	to := &registrar{}
	var at grpc.ServiceRegistrar = to
	if stack != nil {
		at = grpcadapter.Guard(stack, to)
	}
	pb.RegisterConformanceServiceServer(at, service{})
	ctx := metadata.NewIncomingContext(tb.Context(), metadata.Pairs(":authority", "books.example", "user-agent", "grpc-go",
		"content-type", "application/grpc", "x-request-id", "4d1f0a2b7c", "authorization", "Bearer good-token"))
	ctx = peer.NewContext(ctx, &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}})
	ctx = grpc.NewContextWithServerTransportStream(ctx, transport{})
	dec := func(any) error { return nil }
	return func() {
		if _, err := to.desc.Methods[0].Handler(to.impl, ctx, dec, nil); err != nil {
			tb.Fatal(err)
		}
	}
}

type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) WriteHeader(int)             {}
func (w nowhere) Write(p []byte) (int, error) { return len(p), nil }

// directHTTP returns a function that answers a request behind hooks; without a
// stack there is nothing between.
func directHTTP(_ testing.TB, stack *interceptor.Stack) func() {
	const pattern = "GET /books/list"
	handler := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	var h http.Handler
	if stack == nil {
		mux := http.NewServeMux()
		mux.HandleFunc(pattern, handler)
		h = mux
	} else {
		mux := httpadapter.NewMux(stack)
		mux.HandleFunc(pattern, handler)
		h = mux
	}
	r := httptest.NewRequest(http.MethodGet, "/books/list", http.NoBody)
	r.Header = http.Header{"User-Agent": {"test"}, "X-Request-Id": {"4d1f0a2b7c"}, "Authorization": {"Bearer good-token"}}
	w := nowhere{http.Header{}}
	return func() { h.ServeHTTP(w, r) }
}

// usual are the hooks that nearly every service lists.
func usual() []interceptor.Hook {
	return []interceptor.Hook{
		requestid.New(),
		logging.New(slog.New(slog.NewJSONHandler(io.Discard, nil))),
		authn.New(authn.Bearer(authn.StaticTokens(map[string]string{"good-token": "alice"}))),
	}
}

// TestUsualAllocations pins what a call allocates with an id, a record and a bearer
// token. On gRPC the id alone takes half of it: grpc-go takes the metadata of the
// response as a map.
func TestUsualAllocations(t *testing.T) { // not parallel: it counts allocations
	if racing.Enabled {
		t.Skip("the race detector allocates as well")
	}
	hooks := usual()
	for _, tt := range []struct {
		name            string
		hooks           []interceptor.Hook
		addedRPC, added float64 // over no stack at all
	}{
		{"no hooks", nil, 2, 2},
		{"request id", hooks[:1], 6, 4},
		{"log", hooks[1:2], 3, 3},
		{"bearer", hooks[2:], 3, 3},
		{"all", hooks, 8, 5},
	} {
		stack := interceptor.MustNew(tt.hooks...)
		if got := testing.AllocsPerRun(1000, directRPC(t, stack)) - testing.AllocsPerRun(1000, directRPC(t, nil)); got != tt.addedRPC {
			t.Errorf("%s: %v allocations added to a gRPC call, want %v", tt.name, got, tt.addedRPC)
		}
		if got := testing.AllocsPerRun(1000, directHTTP(t, stack)) - testing.AllocsPerRun(1000, directHTTP(t, nil)); got != tt.added {
			t.Errorf("%s: %v allocations added to an HTTP request, want %v", tt.name, got, tt.added)
		}
	}
}

// TestSampledAway checks that a success without a record costs nothing.
func TestSampledAway(t *testing.T) { // not parallel: it counts allocations
	if racing.Enabled {
		t.Skip("the race detector allocates as well")
	}
	stack := interceptor.MustNew(logging.New(slog.New(drop{}), logging.Sample(1<<30), logging.Slow(time.Hour), logging.CodeLevel(slog.LevelDebug, codes.NotFound)))
	if got := testing.AllocsPerRun(1000, directRPC(t, stack)) - testing.AllocsPerRun(1000, directRPC(t, interceptor.MustNew())); got != 0 {
		t.Errorf("%v allocations for no record, want none", got)
	}
}

func BenchmarkUsualHooks(b *testing.B) {
	hooks := usual()
	for name, direct := range map[string]func(testing.TB, *interceptor.Stack) func(){"grpc": directRPC, "http": directHTTP} {
		run := func(part string, stack *interceptor.Stack) {
			b.Run(name+"/"+part, func(b *testing.B) {
				call := direct(b, stack)
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
			})
		}
		run("nothing", nil)
		run("no hooks", interceptor.MustNew())
		run("request id", interceptor.MustNew(hooks[0]))
		run("log", interceptor.MustNew(hooks[1]))
		run("bearer", interceptor.MustNew(hooks[2]))
		run("all", interceptor.MustNew(hooks...))
	}
}
