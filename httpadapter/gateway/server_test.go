package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// service is a ConformanceService whose methods are functions; without one a
// method echoes. It counts the handlers that ran.
type service struct {
	pb.UnimplementedConformanceServiceServer
	ran    atomic.Int64
	unary  func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error)
	server func(*pb.ServerStreamRequest, grpc.ServerStreamingServer[pb.ServerStreamResponse]) error
}

func (s *service) Unary(ctx context.Context, req *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	s.ran.Add(1)
	if s.unary != nil {
		return s.unary(ctx, req)
	}
	return &pb.UnaryResponse{Text: req.GetId() + req.GetText()}, nil
}

func (s *service) ServerStream(req *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	s.ran.Add(1)
	if s.server != nil {
		return s.server(req, stream)
	}
	for i := range req.GetCount() {
		if err := stream.Send(&pb.ServerStreamResponse{Index: i, Text: req.GetText()}); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) BidiStream(stream grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	s.ran.Add(1)
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.BidiStreamResponse{Index: req.GetIndex(), Text: req.GetText()}); err != nil {
			return err
		}
	}
}

// site is a gateway under a stack on a real HTTP server, with the records of
// what the stack reported.
type site struct {
	*httptest.Server
	stack   *interceptor.Stack
	grpc    *grpcadapter.Server
	gw      *gateway.Handler
	svc     *service
	reports *reports
}

// setup says what differs from a gateway registered as it should be.
type setup struct {
	svc      *service
	hooks    []interceptor.Hook
	opts     []gateway.Option
	register func(*testing.T, *site)              // instead of HandlerClient over Conn()
	conn     grpc.ClientConnInterface             // given to New instead of Conn()
	handler  func(*testing.T, *site) http.Handler // served instead of the gateway
	server   func(*httptest.Server)               // before it starts
}

func newSite(t *testing.T, s setup) *site {
	t.Helper()
	site := &site{svc: s.svc, reports: new(reports)}
	if site.svc == nil {
		site.svc = new(service)
	}
	site.stack = interceptor.MustNew(s.hooks...).ReportTo(site.reports.add)
	site.grpc = grpcadapter.NewServer(site.stack)
	t.Cleanup(site.grpc.Stop)
	pb.RegisterConformanceServiceServer(site.grpc, site.svc)
	conn := s.conn
	if conn == nil {
		conn = site.grpc.Conn()
	}
	site.gw = gateway.New(site.stack, conn, s.opts...)
	if s.register != nil {
		s.register(t, site)
	} else {
		client := pb.NewConformanceServiceClient(site.grpc.Conn())
		if err := pb.RegisterConformanceServiceHandlerClient(t.Context(), site.gw.Mux(), client); err != nil {
			t.Fatal(err)
		}
	}
	var handler http.Handler = site.gw
	if s.handler != nil {
		handler = s.handler(t, site)
	}
	site.Server = httptest.NewUnstartedServer(handler)
	if s.server != nil {
		s.server(site.Server)
	}
	site.Start()
	t.Cleanup(site.Close)
	return site
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func (s *site) do(t *testing.T, r *http.Request) answer {
	t.Helper()
	client := &http.Client{
		Transport:     s.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	return answer{resp, string(body)}
}

func (s *site) request(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, rd)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *site) get(t *testing.T, path string) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodGet, path, ""))
}

func (s *site) post(t *testing.T, path, body string) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodPost, path, body))
}

// reports keeps what a stack told its operator.
type reports struct {
	mu   sync.Mutex
	text []string
}

func (r *reports) add(_ context.Context, _ *interceptor.Call, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, err.Error())
}

func (r *reports) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.text, "\n")
}

// trace is a log of phases that several hooks share, with the outcomes that
// AfterResponse of the outermost one saw.
type trace struct {
	mu     sync.Mutex
	phases []string
	ended  chan outcome
}

// outcome is what AfterResponse saw.
type outcome struct {
	method     *interceptor.Method
	code       string
	httpStatus int
	route      string
	err        error
	phases     string
	received   int64
	sent       int64
}

func newTrace() *trace { return &trace{ended: make(chan outcome, 100)} }

func (tr *trace) add(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.phases = append(tr.phases, fmt.Sprintf(format, args...))
}

// hook returns a hook that logs every phase but WrapHandler, with changes laid
// over it by change.
func (tr *trace) hook(name string, change func(*interceptor.Funcs)) interceptor.Hook {
	f := interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) {
			tr.add("BR%s", name)
			return ctx, nil
		},
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			tr.add("BH%s", name)
			return ctx, nil
		},
		OnReceive: func(context.Context, *interceptor.Call, any) error { tr.add("RX%s", name); return nil },
		OnSend:    func(context.Context, *interceptor.Call, any) error { tr.add("TX%s", name); return nil },
		OnError: func(_ context.Context, _ *interceptor.Call, err error) error {
			tr.add("OE%s", name)
			return err
		},
		BeforeResponse: func(context.Context, *interceptor.Call) error { tr.add("RS%s", name); return nil },
		AfterResponse: func(_ context.Context, call *interceptor.Call) {
			tr.add("AR%s", name)
			if name == "1" {
				tr.ended <- tr.outcomeOf(call)
			}
		},
	}
	if change != nil {
		change(&f)
	}
	return interceptor.FromFuncs("h"+name, f)
}

func (tr *trace) outcomeOf(call *interceptor.Call) outcome {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	o := outcome{
		method: call.Method(), code: call.Code().String(), httpStatus: call.HTTPStatus(), route: call.Route(),
		err: call.Err(), phases: strings.Join(tr.phases, " "), received: call.Received().Messages, sent: call.Sent().Messages,
	}
	tr.phases = nil
	return o
}

// end waits for the one call that was made to end, and fails if another ended.
func (tr *trace) end(t *testing.T) outcome {
	t.Helper()
	o := <-tr.ended
	select {
	case extra := <-tr.ended:
		t.Errorf("a second AfterResponse for one call: %+v", extra)
	default:
	}
	return o
}
