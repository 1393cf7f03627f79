package ecosystem_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
)

// middleware is a set of go-grpc-middleware's interceptors as programs have them:
// a log record for every call, credentials for all methods but one, and a
// recovery. It keeps the log.
type middleware struct {
	mu  sync.Mutex
	log []string
}

// Log receives the records of go-grpc-middleware's logging.
func (m *middleware) Log(_ context.Context, _ logging.Level, msg string, fields ...any) {
	var method, code any
	for i := logging.Fields(fields).Iterator(); i.Next(); {
		switch k, v := i.At(); k {
		case logging.MethodFieldKey:
			method = v
		case "grpc.code":
			code = v
		}
	}
	m.mu.Lock()
	m.log = append(m.log, fmt.Sprintf("%s %v %v", msg, method, code))
	m.mu.Unlock()
}

// userKey is the context key of what auth found out.
type userKey struct{}

func authenticate(ctx context.Context) (context.Context, error) {
	user, err := auth.AuthFromMD(ctx, "bearer")
	return context.WithValue(ctx, userKey{}, user), err
}

// recovered is what a panic becomes.
func recovered(p any) error { return status.Errorf(codes.DataLoss, "recovered from %v", p) }

func (m *middleware) interceptors() (unary []grpc.UnaryServerInterceptor, stream []grpc.StreamServerInterceptor) {
	closed := selector.MatchFunc(func(_ context.Context, c interceptors.CallMeta) bool { return c.Method != "EmptyCall" })
	finished := logging.WithLogOnEvents(logging.FinishCall)
	unary = []grpc.UnaryServerInterceptor{
		logging.UnaryServerInterceptor(m, finished),
		selector.UnaryServerInterceptor(auth.UnaryServerInterceptor(authenticate), closed),
		recovery.UnaryServerInterceptor(recovery.WithRecoveryHandler(recovered)),
	}
	stream = []grpc.StreamServerInterceptor{
		logging.StreamServerInterceptor(m, finished),
		selector.StreamServerInterceptor(auth.StreamServerInterceptor(authenticate), closed),
		recovery.StreamServerInterceptor(recovery.WithRecoveryHandler(recovered)),
	}
	return unary, stream
}

// chained returns the interceptors as grpc-go's options.
func (m *middleware) chained() []grpc.ServerOption {
	unary, stream := m.interceptors()
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(unary...), grpc.ChainStreamInterceptor(stream...)}
}

// records waits for n log records and returns them in an order of their own.
func (m *middleware) records(t *testing.T, n int) []string {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for giveUp := time.Now().Add(20 * time.Second); ; <-tick.C {
		m.mu.Lock()
		log := slices.Clone(m.log)
		m.mu.Unlock()
		if len(log) >= n || time.Now().After(giveUp) {
			slices.Sort(log)
			return log
		}
	}
}

// panicky is the interop service, whose HalfDuplexCall panics, and UnaryCall when
// asked for a status of ABORTED.
type panicky struct{ testpb.TestServiceServer }

func (s panicky) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if user, _ := ctx.Value(userKey{}).(string); user != "alice" {
		return nil, status.Errorf(codes.FailedPrecondition, "the handler sees the user %q", user)
	}
	if codes.Code(in.GetResponseStatus().GetCode()) == codes.Aborted {
		panic("unary")
	}
	return s.TestServiceServer.UnaryCall(ctx, in)
}

func (panicky) HalfDuplexCall(testpb.TestService_HalfDuplexCallServer) error { panic("stream") }

// middlewarePlaces are where go-grpc-middleware's interceptors can be.
var middlewarePlaces = []struct {
	name    string
	inside  bool // of the stack, where a panic is still one
	process bool // the calls are made in process
	server  func(*middleware, *ledger, *testing.T) server
}{
	{"inside, WithInterceptors", true, false, func(m *middleware, l *ledger, t *testing.T) server {
		return grpcadapter.NewServer(l.stack(t), m.withInterceptors()...)
	}},
	{"inside, in process", true, true, func(m *middleware, l *ledger, t *testing.T) server {
		return grpcadapter.NewServer(l.stack(t), m.withInterceptors()...)
	}},
	{"inside, as they were", true, false, func(m *middleware, l *ledger, t *testing.T) server {
		return grpcadapter.NewServer(l.stack(t), m.chained()...)
	}},
	{"inside, after ServerOptions", true, false, func(m *middleware, l *ledger, t *testing.T) server {
		return grpc.NewServer(append(grpcadapter.ServerOptions(l.stack(t)), m.chained()...)...)
	}},
	{"outside, before ServerOptions", false, false, func(m *middleware, l *ledger, t *testing.T) server {
		return grpc.NewServer(append(m.chained(), grpcadapter.ServerOptions(l.stack(t))...)...)
	}},
}

// server is a gRPC server of either package, before it serves.
type server interface {
	grpcServer
	grpc.ServiceRegistrar
}

func (m *middleware) withInterceptors() (opts []grpc.ServerOption) {
	unary, stream := m.interceptors()
	for i := range unary {
		opts = append(opts, grpcadapter.WithInterceptors(unary[i], stream[i]))
	}
	return opts
}

// go-grpc-middleware's interceptors do inside and outside of a stack what they do
// without one, also to a caller without credentials and, inside, to a panic.
func TestGoGRPCMiddleware(t *testing.T) {
	t.Parallel()
	bare := new(middleware)
	want := middlewareTraffic(t, bare, serveMiddleware(t, grpc.NewServer(bare.chained()...), false))
	for _, place := range middlewarePlaces {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			m, l := new(middleware), newLedger()
			got := middlewareTraffic(t, m, serveMiddleware(t, place.server(m, l, t), place.process))
			if !place.inside { // a stack turns a panic into an error, so that nothing further out has to
				got = strings.ReplaceAll(got, "Internal", "DataLoss")
			}
			if got != want {
				t.Errorf("outcomes and log records:\n%s\nwithout a stack:\n%s", got, want)
			}
			calls := strings.Count(got, "finished call")
			if !place.inside {
				calls-- // auth refused it before the stack
			}
			l.balance(t, calls)
		})
	}
}

func serveMiddleware(t *testing.T, srv server, process bool) grpc.ClientConnInterface {
	t.Helper()
	testpb.RegisterTestServiceServer(srv, panicky{interop.NewTestServer()})
	if !process {
		return dial(t, serveGRPC(t, srv))
	}
	t.Cleanup(srv.GracefulStop)
	inProcess, ok := srv.(*grpcadapter.Server)
	if !ok {
		t.Fatalf("a %T has no calls in process", srv)
	}
	return inProcess.Conn()
}

// middlewareTraffic makes calls and returns what clients got and what was logged.
func middlewareTraffic(t *testing.T, m *middleware, conn grpc.ClientConnInterface) string {
	t.Helper()
	client := testpb.NewTestServiceClient(conn)
	var seen []string
	_, err := client.UnaryCall(t.Context(), &testpb.SimpleRequest{})
	seen = append(seen, fmt.Sprintf("without credentials: %v", status.Code(err)))
	_, err = client.EmptyCall(t.Context(), &testpb.Empty{})
	seen = append(seen, fmt.Sprintf("open method: %v", status.Code(err)))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "bearer alice")
	_, err = client.UnaryCall(ctx, &testpb.SimpleRequest{})
	seen = append(seen, fmt.Sprintf("with credentials: %v", status.Code(err)))
	_, err = client.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(codes.Aborted)}})
	seen = append(seen, fmt.Sprintf("panic: %v", status.Code(err)))
	stream, err := client.HalfDuplexCall(ctx)
	if err == nil {
		_, err = stream.Recv()
	}
	seen = append(seen, fmt.Sprintf("panic in a stream: %v", status.Code(err)))
	mustNotBeFatal(t, func() { interop.DoPingPong(ctx, client) })
	return strings.Join(append(seen, m.records(t, 6)...), "\n")
}
