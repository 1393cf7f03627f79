package telemetry_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// ended is a hook outside of the telemetry that tells when a call is over.
func ended() (interceptor.Hook, <-chan struct{}) {
	over := make(chan struct{}, 1)
	return interceptor.FromFuncs("ended", interceptor.Funcs{AfterResponse: func(context.Context, *interceptor.Call) {
		over <- struct{}{}
	}}), over
}

// serveHTTP serves handler and returns its address.
func serveHTTP(t testing.TB, handler http.Handler) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	srv.Config.ErrorLog = silent
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestHTTPEndings are the ways in which an HTTP exchange can end that only a
// plain handler and a client of their own show.
func TestHTTPEndings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		handler func(leave func()) http.HandlerFunc
		opts    []telemetry.Option
		errType string // of span and metric, "" for none
		status  string // what was sent
		logs    int
	}{
		{name: "served", status: "200", handler: func(func()) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }
		}},
		{name: "not found", status: "404", handler: func(func()) http.HandlerFunc { return http.NotFound }},
		{name: "no HTTP status", status: "799", errType: "_OTHER", handler: func(func()) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(799) }
		}},
		{name: "aborted", errType: "aborted", handler: func(func()) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}},
		{name: "aborted after the status", errType: "aborted", status: "200", handler: func(func()) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				flush(w)
				panic(http.ErrAbortHandler)
			}
		}},
		{name: "aborted when the client had gone", errType: "canceled", handler: func(leave func()) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) {
				gone(r, leave)
				panic(http.ErrAbortHandler)
			}
		}},
		{name: "panic after the status", errType: "panic", status: "200", logs: 1, handler: func(func()) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				flush(w)
				panic("boom")
			}
		}},
		{name: "client gone before the status", errType: "canceled", handler: func(leave func()) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { gone(r, leave) }
		}},
		{name: "client gone in the middle", errType: "canceled", status: "200", handler: func(leave func()) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write(make([]byte, 8<<10))
				gone(r, leave)
			}
		}},
		{name: "client gone, cancel is no error", status: "200", opts: []telemetry.Option{telemetry.CancelIsError(false)}, handler: func(leave func()) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write(make([]byte, 8<<10))
				gone(r, leave)
			}
		}},
		{name: "events until the client has enough", status: "200", handler: func(leave func()) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "data: 1\n\n")
				flush(w)
				gone(r, leave)
			}
		}},
		{name: "hijacked", handler: func(func()) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
					_ = conn.Close()
				}
			}
		}},
		{name: "cancelled by the handler", status: "499", handler: func(func()) http.HandlerFunc {
			return httpadapter.HandlerFunc(func(http.ResponseWriter, *http.Request) error {
				return status.Error(codes.Canceled, "not today")
			}).ServeHTTP
		}},
		{name: "deadline", errType: "504", status: "504", handler: func(func()) http.HandlerFunc {
			return httpadapter.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return context.DeadlineExceeded }).ServeHTTP
		}},
		{name: "deadline after the status", errType: "deadline_exceeded", status: "200", handler: func(func()) http.HandlerFunc {
			return late(context.DeadlineExceeded)
		}},
		{name: "fault after the status", errType: "unavailable", status: "200", handler: func(func()) http.HandlerFunc {
			return late(status.Error(codes.Unavailable, "gone"))
		}},
		{name: "odd code after the status", errType: "_OTHER", status: "200", handler: func(func()) http.HandlerFunc {
			return late(status.Error(codes.Code(77), "odd"))
		}},
		{name: "callers fault after the status", status: "200", handler: func(func()) http.HandlerFunc {
			return late(status.Error(codes.NotFound, "no more"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			outside, over := ended()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			mux := httpadapter.NewMux(interceptor.MustNew(outside, s.hook(telemetry.Restart, tt.opts...)).ReportTo(nil))
			mux.Handle("GET /thing", tt.handler(leave))
			get(ctx, t, serveHTTP(t, mux)+"/thing")
			<-over

			spans, metrics := s.take(t)
			if len(spans) != 1 || spans[0].Name != "GET /thing" || len(spans[0].Events) > 0 {
				t.Fatalf("spans %v, want one named by the route, without events", spans)
			}
			failed := spans[0].Status.Code.String() == "Error"
			if got := value(spans[0].Attributes, "error.type"); got != tt.errType || failed != (tt.errType != "") {
				t.Errorf("error.type %q, status %v; want %q", got, spans[0].Status.Code, tt.errType)
			}
			if got := value(spans[0].Attributes, "http.response.status_code"); got != tt.status {
				t.Errorf("status code %q on the span, want %q", got, tt.status)
			}
			p := points(metrics, "http.server.request.duration")
			if len(p) != 1 || value(p[0].Attributes.ToSlice(), "error.type") != tt.errType {
				t.Errorf("points %v, want one with error.type %q", p, tt.errType)
			}
			label := tt.status
			if label == "799" {
				label = "" // what is no HTTP status is on the span alone
			}
			if got := value(p[0].Attributes.ToSlice(), "http.response.status_code"); got != label {
				t.Errorf("status code %q on the point, want %q", got, label)
			}
			if logs := s.logs.take(); len(logs) != tt.logs {
				t.Errorf("%d exception records, want %d", len(logs), tt.logs)
			}
		})
	}
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// gone has the client leave and waits until the server knows.
func gone(r *http.Request, leave func()) {
	leave()
	<-r.Context().Done()
}

// late is a handler that fails when its status has left.
func late(err error) http.HandlerFunc {
	return httpadapter.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		flush(w)
		return err
	}).ServeHTTP
}

// get sends a request and reads what comes of it.
func get(ctx context.Context, t testing.TB, url string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return // the handler's doing
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
}

// TestNoRoute checks what a mux answers by itself, and methods that are none.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	mux := httpadapter.NewMux(interceptor.MustNew(s.hook(telemetry.Restart)))
	mux.HandleFunc("GET /books/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/any", func(http.ResponseWriter, *http.Request) {})
	for _, tt := range []struct{ method, path, name, status, original string }{
		{"GET", "/no/such/path", "GET", "404", ""},
		{"DELETE", "/books/7", "DELETE", "405", ""},
		{"GET", "/books/7", "GET /books/{id}", "200", ""},
		{"BREW", "/any", "HTTP /any", "200", "BREW"},
		{"BREW", "/no/such/path", "HTTP", "404", "BREW"},
		{"get", "/any", "HTTP /any", "200", "get"},
	} {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(tt.method, tt.path, http.NoBody))
		spans, metrics := s.take(t)
		if len(spans) != 1 || spans[0].Name != tt.name {
			t.Fatalf("%s %s: spans %v, want %q", tt.method, tt.path, names(spans), tt.name)
		}
		attrs := spans[0].Attributes
		if got := value(attrs, "http.response.status_code"); got != tt.status || spans[0].Status.Code.String() != "Unset" {
			t.Errorf("%s %s: status %s, %v; want %s, Unset", tt.method, tt.path, got, spans[0].Status.Code, tt.status)
		}
		if got := value(attrs, "http.request.method_original"); got != tt.original || (value(attrs, "http.request.method") == "_OTHER") != (tt.original != "") {
			t.Errorf("%s %s: original method %q, want %q", tt.method, tt.path, got, tt.original)
		}
		p := points(metrics, "http.server.request.duration")
		if len(p) != 1 || strings.Contains(p[0].Attributes.Encoded(nilEncoder), "BREW") {
			t.Errorf("%s %s: points %v", tt.method, tt.path, p)
		}
	}
}

// rpcServer serves the conformance service over gRPC.
func rpcServer(t testing.TB, srv *grpcadapter.Server) *grpc.ClientConn {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(lis)
	}()
	conn, err := grpc.NewClient("passthrough:///"+lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		srv.Stop()
		<-done
	})
	return conn
}

// service answers, or does what its field says.
type service struct {
	pb.UnimplementedConformanceServiceServer
	unary func(context.Context) error
}

func (s *service) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	if s.unary != nil {
		if err := s.unary(ctx); err != nil {
			return nil, err
		}
	}
	return &pb.UnaryResponse{Text: in.GetText()}, nil
}

func (s *service) ServerStream(_ *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	if err := stream.Send(&pb.ServerStreamResponse{Text: "first"}); err != nil {
		return err
	}
	if s.unary != nil {
		return s.unary(stream.Context())
	}
	return nil
}

func TestUnknownRPC(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	srv := grpcadapter.NewServer(interceptor.MustNew(s.hook(telemetry.Restart)))
	pb.RegisterConformanceServiceServer(srv, &service{})
	conn := rpcServer(t, srv)
	for _, method := range []string{"/no.such.Service/Method", "/crosscut.conformance.v1.ConformanceService/NoSuchMethod"} {
		err := conn.Invoke(t.Context(), method, &emptypb.Empty{}, &emptypb.Empty{})
		if status.Code(err) != codes.Unimplemented {
			t.Fatalf("%s: %v", method, err)
		}
		srv.GracefulStop()
		spans, metrics := s.take(t)
		if len(spans) != 1 || spans[0].Name != "grpc" || spans[0].Status.Code.String() != "Error" {
			t.Fatalf("%s: spans %v, want one named grpc with an error", method, spans)
		}
		for key, want := range map[string]string{
			"rpc.method": "_OTHER", "rpc.method_original": method[1:], "error.type": "UNIMPLEMENTED", "rpc.response.status_code": "UNIMPLEMENTED",
		} {
			if got := value(spans[0].Attributes, attributeKey(key)); got != want {
				t.Errorf("%s: %s is %q, want %q", method, key, got, want)
			}
		}
		p := points(metrics, "rpc.server.call.duration")
		if len(p) != 1 || value(p[0].Attributes.ToSlice(), "rpc.method") != "_OTHER" || value(p[0].Attributes.ToSlice(), "rpc.method_original") != "" {
			t.Errorf("%s: points %v, want one of _OTHER", method, p)
		}
		srv = grpcadapter.NewServer(interceptor.MustNew(s.hook(telemetry.Restart)))
		pb.RegisterConformanceServiceServer(srv, &service{})
		conn = rpcServer(t, srv)
	}
}

// TestUnknownServiceHandler has a handler of the program's own answer to every
// name, which makes known only those that were listed.
func TestUnknownServiceHandler(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	outside, over := ended()
	proxy := func(_ any, ss grpc.ServerStream) error { return ss.SendMsg(&emptypb.Empty{}) }
	hook := s.hook(telemetry.Restart, telemetry.ProxiedMethods("/far.Away/Known"))
	conn := rpcServer(t, grpcadapter.NewServer(interceptor.MustNew(outside, hook), grpc.UnknownServiceHandler(proxy)))
	for _, tt := range []struct{ path, name, method, original string }{
		{"/any.Name/AtAll", "grpc", "_OTHER", "any.Name/AtAll"},
		{"/far.Away/Known", "far.Away/Known", "far.Away/Known", ""},
	} {
		if err := conn.Invoke(t.Context(), tt.path, &emptypb.Empty{}, &emptypb.Empty{}); err != nil {
			t.Fatal(err)
		}
		<-over
		span := s.span(t)
		if got := value(span.Attributes, "rpc.method"); span.Name != tt.name || got != tt.method || value(span.Attributes, "rpc.method_original") != tt.original {
			t.Errorf("%s: span %q of method %q, want %q of %q", tt.path, span.Name, got, tt.name, tt.method)
		}
	}
}

func TestRPCClientLeaves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		opts    []telemetry.Option
		errType string
	}{
		{"by the conventions", nil, ""},
		{"cancel is an error", []telemetry.Option{telemetry.CancelIsError(true)}, "CANCELLED"},
		{"cancel is none", []telemetry.Option{telemetry.CancelIsError(false)}, ""},
		{"own classifier", []telemetry.Option{telemetry.CancelIsError(false), telemetry.Classifier(func(*interceptor.Call) (string, bool) {
			return "own", true
		})}, "own"},
		{"own classifier without a name", []telemetry.Option{telemetry.Classifier(func(*interceptor.Call) (string, bool) {
			return "", true
		})}, "_OTHER"},
		{"own classifier sees no error", []telemetry.Option{telemetry.Classifier(func(*interceptor.Call) (string, bool) {
			return "ignored", false
		})}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			outside, over := ended()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			srv := grpcadapter.NewServer(interceptor.MustNew(outside, s.hook(telemetry.Restart, tt.opts...)))
			pb.RegisterConformanceServiceServer(srv, &service{unary: func(ctx context.Context) error {
				leave()
				<-ctx.Done()
				return ctx.Err()
			}})
			if _, err := pb.NewConformanceServiceClient(rpcServer(t, srv)).Unary(ctx, &pb.UnaryRequest{}); err == nil {
				t.Fatal("the call succeeded")
			}
			<-over
			spans, metrics := s.take(t)
			attrs := spans[0].Attributes
			if got := value(attrs, "error.type"); got != tt.errType || value(attrs, "rpc.response.status_code") != "CANCELLED" || (spans[0].Status.Code.String() == "Error") != (tt.errType != "") {
				t.Errorf("error.type %q, status %v, want %q", got, spans[0].Status.Code, tt.errType)
			}
			if p := points(metrics, "rpc.server.call.duration"); len(p) != 1 || value(p[0].Attributes.ToSlice(), "error.type") != tt.errType {
				t.Errorf("points %v, want one with error.type %q", p, tt.errType)
			}
		})
	}
}

// restServer serves the conformance service over REST, by a server whose stack
// may be another one.
func restServer(t testing.TB, outer, inner *interceptor.Stack, svc *service) string {
	t.Helper()
	srv := grpcadapter.NewServer(inner)
	pb.RegisterConformanceServiceServer(srv, svc)
	t.Cleanup(srv.Stop)
	gw := gateway.New(outer, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(t.Context(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		t.Fatal(err)
	}
	return serveHTTP(t, gw)
}

// TestRESTClientLeaves has the client of a transcoded call leave before there is
// an answer: the 499 that is written then never got anywhere.
func TestRESTClientLeaves(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	outside, over := ended()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	stack := interceptor.MustNew(outside, s.hook(telemetry.Restart))
	url := restServer(t, stack, stack, &service{unary: func(ctx context.Context) error {
		leave()
		<-ctx.Done()
		return ctx.Err()
	}})
	get(ctx, t, url+"/v1/conformance/7")
	<-over
	attrs := s.span(t).Attributes
	if value(attrs, "error.type") != "canceled" || value(attrs, "http.response.status_code") != "" || value(attrs, "http.route") != "/v1/conformance/{id}" {
		t.Errorf("attributes %v, want a route, the error canceled and no status", attrs)
	}
}

// TestStreamOverREST has the client leave a stream that it has read from, and the
// handler fail in the middle of one.
func TestStreamOverREST(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		after   func(ctx context.Context, leave func()) error
		errType string
	}{
		{"the reader has enough", func(ctx context.Context, leave func()) error {
			leave()
			<-ctx.Done()
			return ctx.Err()
		}, ""},
		{"the handler fails", func(context.Context, func()) error { return errors.New("lost") }, "unknown"},
		{"the handler finds no more", func(context.Context, func()) error { return status.Error(codes.NotFound, "no more") }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			outside, over := ended()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			arrived := make(chan struct{})
			stack := interceptor.MustNew(outside, s.hook(telemetry.Restart)).ReportTo(nil)
			url := restServer(t, stack, stack, &service{unary: func(ctx context.Context) error {
				<-arrived
				return tt.after(ctx, leave)
			}})
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/conformance:stream", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			close(arrived)
			_, _ = io.Copy(io.Discard, resp.Body)
			<-over
			span := s.span(t)
			if got := value(span.Attributes, "error.type"); got != tt.errType || value(span.Attributes, "http.response.status_code") != "200" {
				t.Errorf("error.type %q, %v; want %q with the 200 that was sent", got, span.Attributes, tt.errType)
			}
		})
	}
}

// TestTwoStacks has a gateway of one stack call a server of another: two calls,
// two spans, and nothing that the HTTP client sends makes it the inner parent.
func TestTwoStacks(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	outside, over := ended()
	url := restServer(t, interceptor.MustNew(outside, s.hook(telemetry.Restart)), interceptor.MustNew(s.hook(telemetry.Continue)), &service{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/conformance/7", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"Traceparent", "Grpc-Metadata-Traceparent", "Grpcgateway-Traceparent"} {
		r.Header.Set(key, strangeParent)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	<-over
	spans, _ := s.take(t)
	if len(spans) != 2 || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, spans %v; want 200 and two", resp.StatusCode, names(spans))
	}
	for i := range spans {
		if spans[i].SpanContext.TraceID().String() == strangeTrace || spans[i].Parent.TraceID().String() == strangeTrace {
			t.Errorf("%s is part of the stranger's trace", spans[i].Name)
		}
	}
}
