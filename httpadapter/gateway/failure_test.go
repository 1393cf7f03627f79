package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	spb "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

var unencodable = &anypb.Any{TypeUrl: "type.googleapis.com/no.such.Type", Value: []byte{1}}

func failing(err error) *service {
	return &service{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) { return nil, err }}
}

// Every way a call can fail is one failure for the hooks and one AfterResponse,
// with the code and status that the client got, in the gateway's format.
func TestFailuresEndOnce(t *testing.T) {
	t.Parallel()
	const routed = "BR1 OE1 RS1 AR1"
	tests := []struct {
		name, verb, path, body string
		svc                    *service
		wrap                   func(http.Handler) http.Handler
		phases                 string
		code                   codes.Code
		httpStatus             int
		ran                    int64
	}{
		{"no such route", "GET", "/v1/nothing", "", nil, nil, routed, codes.NotFound, 404, 0},
		{"no such method", "DELETE", "/v1/conformance/7", "", nil, nil, routed, codes.Unimplemented, 405, 0},
		{"undecodable body", "POST", "/v1/conformance", "{", nil, nil, "BR1 BH1 OE1 RS1 AR1", codes.InvalidArgument, 400, 0},
		{"undecodable query", "GET", "/v1/conformance/7?upper_case=maybe", "", nil, nil, "BR1 BH1 OE1 RS1 AR1", codes.InvalidArgument, 400, 0},
		{"body over a limit", "POST", "/v1/conformance", `{"text":"` + strings.Repeat("x", 200) + `"}`, nil, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r = r.WithContext(r.Context())
				r.Body = http.MaxBytesReader(w, r.Body, 100)
				h.ServeHTTP(w, r)
			})
		}, "BR1 BH1 OE1 RS1 AR1", codes.ResourceExhausted, 413, 0},
		{"handler error", "GET", "/v1/conformance/7", "", failing(status.Error(codes.AlreadyExists, "taken")), nil, "BR1 BH1 RX1 OE1 RS1 AR1", codes.AlreadyExists, 409, 1},
		{"untyped handler error", "GET", "/v1/conformance/7", "", failing(errors.New("hush")), nil, "BR1 BH1 RX1 OE1 RS1 AR1", codes.Unknown, 500, 1},
		{"panic", "GET", "/v1/conformance/7", "", &service{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			panic("hush")
		}}, nil, "BR1 BH1 RX1 OE1 RS1 AR1", codes.Internal, 500, 1},
		{"reply that is not UTF-8", "GET", "/v1/conformance/7", "", &service{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			return &pb.UnaryResponse{Text: "hush\xff"}, nil
		}}, nil, "BR1 BH1 RX1 TX1 OE1 RS1 AR1", codes.Internal, 500, 1},
		{"HTTP status of its own", "GET", "/v1/conformance/7", "", failing(interceptor.NewError(codes.FailedPrecondition, "if-match", interceptor.WithHTTPStatus(412))),
			nil, "BR1 BH1 RX1 OE1 RS1 AR1", codes.FailedPrecondition, 412, 1},
		{"deadline", "GET", "/v1/conformance/7", "", &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, nil, "BR1 BH1 RX1 OE1 RS1 AR1", codes.DeadlineExceeded, 504, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := newSite(t, setup{svc: tt.svc, hooks: []interceptor.Hook{tr.hook("1", nil)}, handler: func(_ *testing.T, s *site) http.Handler {
				if tt.wrap != nil {
					return tt.wrap(s.gw)
				}
				return s.gw
			}})
			r := s.request(t, tt.verb, tt.path, tt.body)
			if tt.name == "deadline" {
				r.Header.Set("Grpc-Timeout", "20m")
			}
			got := s.do(t, r)
			var body struct {
				Code    codes.Code
				Message string
			}
			if err := json.Unmarshal([]byte(got.body), &body); err != nil {
				t.Errorf("the body is not the gateway's: %v: %s", err, got.body)
			}
			if got.StatusCode != tt.httpStatus || body.Code != tt.code || strings.Contains(got.body, "hush") {
				t.Errorf("got %d %s, want %d, code %d, and no text of the handler", got.StatusCode, got.body, tt.httpStatus, tt.code)
			}
			end := tr.end(t)
			if end.phases != tt.phases {
				t.Errorf("phases\n got %s\nwant %s", end.phases, tt.phases)
			}
			if end.code != tt.code.String() || end.httpStatus != tt.httpStatus {
				t.Errorf("AfterResponse saw %s, %d; want %v, %d", end.code, end.httpStatus, tt.code, tt.httpStatus)
			}
			if n := s.svc.ran.Load(); n != tt.ran {
				t.Errorf("the handler ran %d times, want %d", n, tt.ran)
			}
			if again := s.get(t, "/v1/nothing"); again.StatusCode != http.StatusNotFound {
				t.Errorf("the next request got %d", again.StatusCode)
			}
		})
	}
}

// A reply that gRPC can carry and JSON cannot is not an OK. BeforeResponse has
// run for it: it comes before the marshaler.
func TestReplyThatJSONCannotCarry(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	svc := &service{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		return &pb.UnaryResponse{Text: "hush", Detail: unencodable}, nil
	}}
	s := newSite(t, setup{svc: svc, hooks: []interceptor.Hook{tr.hook("1", nil)}})
	got := s.get(t, "/v1/conformance/7")
	end := tr.end(t)
	if got.StatusCode != 500 || !strings.Contains(got.body, `"code":13`) || strings.Contains(got.body, "no.such.Type") {
		t.Errorf("got %d %s, want 500 with code 13 and no text", got.StatusCode, got.body)
	}
	if end.code != "Internal" || end.httpStatus != 500 || strings.Count(end.phases, "OE1") != 1 {
		t.Errorf("AfterResponse saw %s, %d after %s; want Internal, 500 after one OnError", end.code, end.httpStatus, end.phases)
	}
}

// The same typed error is the same code, message and details over gRPC and REST.
func TestTypedErrorAsOverGRPC(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.NotFound, "no such item").WithDetails(&errdetails.ResourceInfo{ResourceName: "7"}, &errdetails.DebugInfo{Detail: "hush"})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, setup{svc: failing(st.Err())})
	_, grpcErr := pb.NewConformanceServiceClient(dial(t, s)).Unary(t.Context(), &pb.UnaryRequest{})
	want := status.Convert(grpcErr).Proto()
	got := s.get(t, "/v1/conformance/7")
	var rest spb.Status
	if err := protojson.Unmarshal([]byte(got.body), &rest); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	if got.StatusCode != 404 || rest.GetCode() != want.GetCode() || rest.GetMessage() != want.GetMessage() || len(rest.GetDetails()) != 1 || len(want.GetDetails()) != 1 {
		t.Errorf("over REST %d %v, over gRPC %v", got.StatusCode, &rest, want)
	}
}

func sendThenFail(n int, err error) *service {
	return &service{server: func(_ *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
		for i := range n {
			if err := stream.Send(&pb.ServerStreamResponse{Index: int32(i)}); err != nil {
				return err
			}
		}
		return err
	}}
}

// A stream that fails ends with an error chunk; before the first message the
// HTTP status is the error's too.
func TestStreamErrors(t *testing.T) {
	t.Parallel()
	const start = "BR1 BH1 RX1 "
	tests := []struct {
		name       string
		sent       int
		err        error
		httpStatus int
		code       string
		chunk      string
		phases     string
	}{
		{"after two messages", 2, status.Error(codes.Aborted, "later"), 200, "Aborted", `"code":10,"message":"later"`, start + "TX1 RS1 TX1 OE1 AR1"},
		{"after two messages, untyped", 2, errors.New("hush"), 200, "Unknown", `"code":2,"message":"internalerror"`, start + "TX1 RS1 TX1 OE1 AR1"},
		{"before the first message", 0, status.Error(codes.Aborted, "later"), 409, "Aborted", `"code":10,"message":"later"`, start + "OE1 RS1 AR1"},
		{"before the first message, HTTP status of its own", 0, interceptor.NewError(codes.FailedPrecondition, "x", interceptor.WithHTTPStatus(412)), 412,
			"FailedPrecondition", `"code":9,"message":"x"`, start + "OE1 RS1 AR1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := newSite(t, setup{svc: sendThenFail(tt.sent, tt.err), hooks: []interceptor.Hook{tr.hook("1", nil)}})
			got := s.get(t, "/v1/conformance:stream")
			lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(got.body, " ", "")), "\n")
			if got.StatusCode != tt.httpStatus || len(lines) != tt.sent+1 {
				t.Errorf("got %d with %d lines, want %d with %d: %s", got.StatusCode, len(lines), tt.httpStatus, tt.sent+1, got.body)
			}
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, `{"error":`) || !strings.Contains(last, tt.chunk) {
				t.Errorf("the last chunk is %s, want an error with %s", last, tt.chunk)
			}
			end := tr.end(t)
			if end.phases != tt.phases || end.code != tt.code || end.httpStatus != tt.httpStatus {
				t.Errorf("hooks saw %s, %s, %d; want %s, %s, %d", end.phases, end.code, end.httpStatus, tt.phases, tt.code, tt.httpStatus)
			}
		})
	}
}

// What keeps a message of a stream from leaving ends the RPC, and OnError sees it
// when the handler has returned: phases never overlap the handler's side.
func TestStreamThatCannotLeave(t *testing.T) {
	t.Parallel()
	lost := status.Error(codes.DataLoss, "lost")
	tests := []struct {
		name       string
		failAt     int // which message the forward option refuses; 0 is the header
		finish     bool
		httpStatus int
		phases     string
	}{
		{"the header", 0, false, 500, "BR1 BH1 RX1 TX1 RS1 HND OE1 AR1"},
		{"the first message", 1, false, 500, "BR1 BH1 RX1 TX1 RS1 HND OE1 AR1"},
		{"the second message", 2, false, 200, "BR1 BH1 RX1 TX1 RS1 TX1 HND OE1 AR1"},
		{"the last message, after the handler", 2, true, 200, "BR1 BH1 RX1 TX1 RS1 TX1 HND OE1 AR1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			returned := make(chan struct{})
			svc := &service{server: func(_ *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
				defer close(returned)
				for range max(tt.failAt, 1) {
					if err := stream.Send(&pb.ServerStreamResponse{}); err != nil {
						break
					}
				}
				if !tt.finish {
					<-stream.Context().Done()
				}
				tr.add("HND")
				return nil
			}}
			seen := -1
			option := runtime.WithForwardResponseOption(func(_ context.Context, _ http.ResponseWriter, _ proto.Message) error {
				if seen++; seen < tt.failAt {
					return nil
				}
				if tt.finish {
					<-returned
				}
				return lost
			})
			closing := runtime.WithMiddlewares(func(next runtime.HandlerFunc) runtime.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request, p map[string]string) {
					closed := &closedWriter{ResponseWriter: w}
					next(closed, r, p)
					closed.ResponseWriter = nil // as a compressing middleware that has flushed
				}
			})
			s := newSite(t, setup{svc: svc, hooks: []interceptor.Hook{tr.hook("1", nil)}, opts: []gateway.Option{gateway.MuxOptions(option, closing)}})
			got := s.get(t, "/v1/conformance:stream")
			if got.StatusCode != tt.httpStatus || !strings.Contains(strings.ReplaceAll(got.body, " ", ""), `"code":15,"message":"lost"`) {
				t.Errorf("got %d %s, want %d and the error", got.StatusCode, got.body, tt.httpStatus)
			}
			if end := tr.end(t); end.phases != tt.phases || end.code != "DataLoss" || end.httpStatus != tt.httpStatus {
				t.Errorf("hooks saw %s, %d\n got %s\nwant %s", end.code, end.httpStatus, end.phases, tt.phases)
			}
		})
	}
}

// closedWriter cannot be written to once its middleware has returned.
type closedWriter struct{ http.ResponseWriter }

func (w *closedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A client that goes away while the handler works is one CANCELLED.
func TestClientCancels(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1/conformance/7", "/v1/conformance:stream"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			running := make(chan struct{})
			wait := func(ctx context.Context) error {
				close(running)
				<-ctx.Done()
				return ctx.Err()
			}
			svc := &service{
				unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) { return nil, wait(ctx) },
				server: func(_ *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
					return wait(stream.Context())
				},
			}
			s := newSite(t, setup{svc: svc, hooks: []interceptor.Hook{tr.hook("1", nil)}})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-running
				cancel()
			}()
			resp, err := s.Client().Do(s.request(t, http.MethodGet, path, "").WithContext(ctx))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			if end := tr.end(t); end.code != "Canceled" || strings.Count(end.phases, "AR1") != 1 || strings.Count(end.phases, "OE1") != 1 {
				t.Errorf("AfterResponse saw %s after %s", end.code, end.phases)
			}
		})
	}
}

// A hook's challenge is the only WWW-Authenticate; the gateway's own is the
// message of the error, which is none.
func TestChallengeOfHookStandsAlone(t *testing.T) {
	t.Parallel()
	hook := interceptor.FromFuncs("authn", interceptor.Funcs{
		BeforeHandler: func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			return nil, interceptor.NewError(codes.Unauthenticated, "a credential is required", interceptor.WithHeader("WWW-Authenticate", "Bearer"))
		},
	})
	s := newSite(t, setup{hooks: []interceptor.Hook{hook}})
	got := s.get(t, "/v1/conformance/7")
	if v := got.Header.Values("WWW-Authenticate"); got.StatusCode != 401 || len(v) != 1 || v[0] != "Bearer" {
		t.Errorf("got %d with WWW-Authenticate %q, want 401 with one Bearer", got.StatusCode, v)
	}
	if s.svc.ran.Load() != 0 {
		t.Error("the handler ran")
	}
}

// A refusal before routing has the gateway's format too.
func TestRejectionInBeforeRequest(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := newSite(t, setup{hooks: []interceptor.Hook{tr.hook("1", nil), tr.hook("2", func(f *interceptor.Funcs) {
		f.BeforeRequest = func(context.Context, *interceptor.Call) (context.Context, error) {
			return nil, interceptor.NewError(codes.PermissionDenied, "not today")
		}
	})}})
	got := s.get(t, "/v1/conformance/7")
	if got.StatusCode != 403 || !strings.Contains(got.body, `"code":7`) || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s %s", got.StatusCode, got.Header.Get("Content-Type"), got.body)
	}
	if end := tr.end(t); end.phases != "BR1 OE1 RS1 AR1" {
		t.Errorf("phases %s", end.phases)
	}
}

func TestRecorderNeedsNoServer(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	w := httptest.NewRecorder()
	s.gw.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/conformance/7", nil))
	if w.Code != http.StatusOK {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
