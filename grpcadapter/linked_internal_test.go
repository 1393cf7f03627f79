package grpcadapter

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/httpwire"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// outside is the HTTP side of a linked call.
type outside struct{ driver.Transport }

func (outside) Kind() driver.Kind                       { return driver.HTTP }
func (outside) HeaderChanged(driver.Header, bool) error { return nil }

// within is the transport stream of a dispatch in process.
type within struct {
	grpc.ServerTransportStream
	header metadata.MD
	fail   error
}

func (w *within) Method() string                 { return "" }
func (w *within) SetHeader(md metadata.MD) error { w.header = metadata.Join(w.header, md); return nil }
func (w *within) encode(any) error               { return w.fail }

// local is a server stream in process that receives one message.
type local struct {
	ctx      context.Context
	fail     error // of RecvMsg
	received bool
	sent     []any
}

func (l *local) Context() context.Context     { return l.ctx }
func (l *local) SetHeader(metadata.MD) error  { return nil }
func (l *local) SendHeader(metadata.MD) error { return nil }
func (l *local) SetTrailer(metadata.MD)       {}
func (l *local) SendMsg(m any) error          { l.sent = append(l.sent, m); return nil }
func (l *local) RecvMsg(any) error {
	if l.fail != nil {
		return l.fail
	}
	if l.received {
		return io.EOF
	}
	l.received = true
	return nil
}

type echo struct {
	pb.UnimplementedConformanceServiceServer
	err error
	ran int
}

func (e *echo) Unary(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	e.ran++
	if _, ok := interceptor.CallFrom(ctx); !ok {
		return nil, errors.New("no call in the context")
	}
	return &pb.UnaryResponse{Text: "handler"}, e.err
}

func (e *echo) ServerStream(_ *pb.ServerStreamRequest, ss grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	e.ran++
	if err := ss.Send(&pb.ServerStreamResponse{Text: "handler"}); err != nil {
		return err
	}
	return e.err
}

// TestLinked continues an HTTP call on both kinds of dispatch: it is resolved and
// answered here, and left to the HTTP side to end and to write its headers.
func TestLinked(t *testing.T) {
	t.Parallel()
	refuse := interceptor.NewError(codes.PermissionDenied, "no")
	cases := []struct {
		name       string
		handler    func(c *interceptor.Call) error // BeforeHandler
		handlerErr error
		code       codes.Code
		http       bool // answered over HTTP
		ran        int
	}{
		{name: "success", ran: 1},
		{name: "rejection", handler: func(*interceptor.Call) error { return refuse }, code: codes.PermissionDenied},
		{name: "failure", handlerErr: refuse, code: codes.PermissionDenied, ran: 1},
		{name: "HTTP reply", handler: func(c *interceptor.Call) error { return c.ReplyHTTP(http.StatusNoContent, "", nil) }, http: true},
	}
	for _, c := range cases {
		for _, name := range []string{"Unary", "ServerStream"} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				ends := 0
				stack := interceptor.MustNew(interceptor.FromFuncs("hook", interceptor.Funcs{
					BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
						if err := call.ResponseHeader().Set("x-hook", "1"); err != nil {
							return nil, err
						}
						if c.handler != nil {
							return ctx, c.handler(call)
						}
						return ctx, nil
					},
					AfterResponse: func(context.Context, *interceptor.Call) { ends++ },
				}))
				s, impl := NewServer(stack), &echo{err: c.handlerErr}
				pb.RegisterConformanceServiceServer(s, impl)
				call := new(interceptor.Call)
				ctx := ops.Begin(call, stack, t.Context(), outside{})
				ops.Request(call)
				wire := &within{}
				ctx = context.WithValue(grpc.NewContextWithServerTransportStream(ctx, wire), linkedKey{}, call)
				full := "/crosscut.conformance.v1.ConformanceService/" + name
				var err error
				if name == "Unary" {
					_, err = s.runUnary(ctx, s.find(full), func(any) error { return nil })
				} else {
					err = s.runStream(&local{ctx: ctx}, full, s.find(full))
				}
				checkLinked(t, err, c.code, c.http)
				if impl.ran != c.ran || ends != 0 || len(wire.header) != 0 || call.Method().Name() != full {
					t.Errorf("the handler ran %d times, AfterResponse %d; headers %v; method %q", impl.ran, ends, wire.header, call.Method().Name())
				}
				if _, isHTTP := ops.Answered(call).(*driver.HTTPReply); isHTTP != c.http {
					t.Errorf("Answered = %v", ops.Answered(call))
				}
				if ops.End(call, 200); ends != 1 {
					t.Errorf("AfterResponse ran %d times", ends)
				}
			})
		}
	}
}

func checkLinked(t *testing.T, err error, code codes.Code, viaHTTP bool) {
	t.Helper()
	if status.Code(err) != code && !viaHTTP {
		t.Errorf("the dispatch returned %v, want %v", err, code)
	}
	var settled httpwire.Settled
	if code != codes.OK && !errors.As(err, &settled) {
		t.Errorf("%v does not say that hooks have seen it", err)
	}
	var reply *httpReplyError
	if errors.As(err, &reply) != viaHTTP {
		t.Errorf("the dispatch returned %v; answered over HTTP: %v", err, viaHTTP)
	}
}

// TestInProcessEncoding checks that a reply which the wire could not encode fails
// in process too, as a status.
func TestInProcessEncoding(t *testing.T) {
	t.Parallel()
	s := NewServer(interceptor.MustNew())
	pb.RegisterConformanceServiceServer(s, &echo{})
	ctx := grpc.NewContextWithServerTransportStream(t.Context(), &within{fail: status.Error(codes.Internal, "cannot")})
	if _, err := s.runUnary(ctx, s.core.targets.all()[0], func(any) error { return nil }); status.Code(err) != codes.Internal {
		t.Errorf("runUnary returned %v", err)
	}
	_, err := s.runUnary(ctx, s.core.targets.all()[0], func(any) error { return errors.New("secret") })
	if status.Code(err) != codes.Unknown || status.Convert(err).Message() != "internal error" {
		t.Errorf("a failure to decode returned %v", err)
	}
}

// TestSwallowedErrorInProcess checks that the first error of a stream in process
// is its outcome, as over the wire, though the handler swallows it.
func TestSwallowedErrorInProcess(t *testing.T) {
	t.Parallel()
	s := NewServer(interceptor.MustNew())
	pb.RegisterConformanceServiceServer(s, &greeter{})
	ctx := grpc.NewContextWithServerTransportStream(t.Context(), &within{})
	full := "/crosscut.conformance.v1.ConformanceService/BidiStream"
	err := s.runStream(&local{ctx: ctx, fail: status.Error(codes.DataLoss, "broken")}, full, s.find(full))
	if status.Code(err) != codes.DataLoss {
		t.Errorf("runStream returned %v", err)
	}
}

// greeter ignores what its stream returns.
type greeter struct {
	pb.UnimplementedConformanceServiceServer
}

func (greeter) BidiStream(ss grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	_, _ = ss.Recv()
	return nil
}

// TestStopReachesDispatches checks that what Stop cancels is UNAVAILABLE for
// hooks and client, whatever the handler returns.
func TestStopReachesDispatches(t *testing.T) {
	t.Parallel()
	var outcome codes.Code
	s := NewServer(interceptor.MustNew(interceptor.FromFuncs("hook", interceptor.Funcs{
		AfterResponse: func(_ context.Context, c *interceptor.Call) { outcome = c.Code() },
	})))
	pb.RegisterConformanceServiceServer(s, &greeter{})
	inside := &serverContext{lifetime: lifetime{parent: t.Context()}}
	if err := s.inside.enter(&inside.lifetime); err != nil {
		t.Fatal(err)
	}
	defer s.inside.leave(&inside.lifetime)
	s.Stop()
	full := "/crosscut.conformance.v1.ConformanceService/BidiStream"
	ctx := grpc.NewContextWithServerTransportStream(inside, &within{})
	if err := s.runStream(&local{ctx: ctx}, full, s.find(full)); status.Code(err) != codes.Unavailable || outcome != codes.Unavailable {
		t.Errorf("runStream returned %v, AfterResponse saw %v", err, outcome)
	}
}
