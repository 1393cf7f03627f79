package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// dial serves the site's gRPC server on a loopback socket.
func dial(t *testing.T, s *site) *grpc.ClientConn {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.grpc.Serve(lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.grpc.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("Serve: %v", err)
		}
	})
	return conn
}

// One REST call is one call: every phase of every hook once and in order, and
// the method is the one a gRPC client reaches.
func TestEveryPhaseOnce(t *testing.T) {
	t.Parallel()
	const down = "BR1 BR2 BR3 BH1 BH2 BH3 RX1 RX2 RX3"
	const unary = down + " TX3 TX2 TX1 RS3 RS2 RS1 AR3 AR2 AR1"
	tests := []struct {
		name, verb, path, body string
		want                   string
		route, phases, rpc     string
		received, sent         int64
	}{
		{"unary", "GET", "/v1/conformance/7?text=x", "", `{"text":"7x"`, "/v1/conformance/{id}", unary, "Unary", 1, 1},
		{"unary, additional binding", "POST", "/v1/conformance", `{"id":"7","text":"x"}`, `{"text":"7x"`, "/v1/conformance", unary, "Unary", 1, 1},
		{"server stream", "GET", "/v1/conformance:stream?text=x&count=2", "", `{"result":{"index":0,"text":"x"}}` + "\n" + `{"result":{"index":1,"text":"x"}}`,
			"/v1/conformance:stream", down + " TX3 TX2 TX1 RS3 RS2 RS1 TX3 TX2 TX1 AR3 AR2 AR1", "ServerStream", 1, 2},
		{"bidi stream", "POST", "/v1/conformance:bidi", `{"index":4,"text":"x"}`, `{"result":{"index":4,"text":"x"}}`,
			"/v1/conformance:bidi", unary, "BidiStream", 1, 1},
	}
	for _, mount := range []struct {
		name    string
		handler func(*testing.T, *site) http.Handler
	}{
		{"alone", nil},
		{"below NewMux", func(_ *testing.T, s *site) http.Handler {
			mux := httpadapter.NewMux(s.stack)
			mux.Handle("/v1/", s.gw)
			return mux
		}},
		{"below StripPrefix", func(_ *testing.T, s *site) http.Handler {
			mux := httpadapter.NewMux(s.stack)
			mux.Handle("/api/", httpadapter.StripPrefix("/api", s.gw))
			return prefixed{mux}
		}},
	} {
		for _, tt := range tests {
			t.Run(mount.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				s := newSite(t, setup{
					hooks:   []interceptor.Hook{tr.hook("1", nil), tr.hook("2", nil), tr.hook("3", nil)},
					handler: mount.handler,
				})
				got := s.do(t, s.request(t, tt.verb, tt.path, tt.body))
				body := strings.ReplaceAll(got.body, " ", "") // protojson varies its spaces on purpose
				if got.StatusCode != http.StatusOK || !strings.HasPrefix(body, tt.want) {
					t.Errorf("got %d %s, want 200 %s", got.StatusCode, got.body, tt.want)
				}
				end := tr.end(t)
				if end.phases != tt.phases {
					t.Errorf("phases\n got %s\nwant %s", end.phases, tt.phases)
				}
				if end.code != "OK" || end.httpStatus != http.StatusOK || end.route != tt.route {
					t.Errorf("AfterResponse saw code %s, status %d, route %q; want OK, 200, %q", end.code, end.httpStatus, end.route, tt.route)
				}
				if end.received != tt.received || end.sent != tt.sent {
					t.Errorf("AfterResponse saw %d messages in and %d out, want %d and %d", end.received, end.sent, tt.received, tt.sent)
				}
				if n := s.svc.ran.Load(); n != 1 {
					t.Errorf("the handler ran %d times", n)
				}
				if r := s.reports.String(); r != "" {
					t.Errorf("reported: %s", r)
				}
			})
		}
	}
}

// prefixed sends every request below /api.
type prefixed struct{ http.Handler }

func (p prefixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.Clone(r.Context())
	r.URL.Path = "/api" + r.URL.Path
	p.Handler.ServeHTTP(w, r)
}

// Calls do not mix: each ends once, with its own outcome.
func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	const calls = 200
	var began, ended atomic.Int64
	hook := interceptor.FromFuncs("count", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) { began.Add(1); return ctx, nil },
		OnSend:        func(context.Context, *interceptor.Call, any) error { return nil },
		AfterResponse: func(context.Context, *interceptor.Call) { ended.Add(1) },
	})
	s := newSite(t, setup{hooks: []interceptor.Hook{hook}})
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			id := strconv.Itoa(i)
			path, want := "/v1/conformance/x"+id, `"x`+id+`"`
			switch i % 4 {
			case 1:
				path, want = "/v1/conformance:stream?count=2&text=x"+id, `"x`+id+`"`
			case 2:
				path, want = "/v1/nothing/"+id, `"code":5`
			case 3:
				path, want = "/v1/conformance/7?upper_case=x"+id, `"code":3`
			}
			if got := s.get(t, path); !strings.Contains(strings.ReplaceAll(got.body, " ", ""), want) {
				t.Errorf("%s answered %s", path, got.body)
			}
		})
	}
	wg.Wait()
	s.Close() // waits for the handlers
	if began.Load() != calls || ended.Load() != calls {
		t.Errorf("%d calls began and %d ended, want %d", began.Load(), ended.Load(), calls)
	}
}

// The descriptor and the *Method are the ones a gRPC client's call has.
func TestSameMethodAsOverGRPC(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := newSite(t, setup{hooks: []interceptor.Hook{tr.hook("1", nil)}})
	client := pb.NewConformanceServiceClient(dial(t, s))

	if _, err := client.Unary(t.Context(), &pb.UnaryRequest{Id: "7"}); err != nil {
		t.Fatal(err)
	}
	overGRPC := tr.end(t)
	s.get(t, "/v1/conformance/7")
	overREST := tr.end(t)
	sameMethod(t, overGRPC.method, overREST.method, pb.File_crosscut_conformance_v1_conformance_proto.Services().Get(0).Methods().ByName("Unary"))

	stream, err := client.ServerStream(t.Context(), &pb.ServerStreamRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = stream.Recv()
	overGRPC = tr.end(t)
	s.get(t, "/v1/conformance:stream")
	overREST = tr.end(t)
	sameMethod(t, overGRPC.method, overREST.method, pb.File_crosscut_conformance_v1_conformance_proto.Services().Get(0).Methods().ByName("ServerStream"))
}

func sameMethod(t *testing.T, overGRPC, overREST *interceptor.Method, want protoreflect.MethodDescriptor) {
	t.Helper()
	if overGRPC == nil || overGRPC != overREST {
		t.Errorf("over gRPC the method is %p %s, over REST %p %s; want one", overGRPC, overGRPC.Name(), overREST, overREST.Name())
	}
	if overREST.Descriptor() != want {
		t.Errorf("over REST the descriptor is %v, want %v", overREST.Descriptor(), want)
	}
}

// The first message of a server stream is with the client while the handler
// still works.
func TestServerStreamIsFlushed(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	seen := make(chan struct{})
	svc := &service{server: func(_ *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
		if err := stream.Send(&pb.ServerStreamResponse{Text: "first"}); err != nil {
			return err
		}
		select { // the handler goes on only when the client has the message
		case <-seen:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
		return stream.Send(&pb.ServerStreamResponse{Index: 1, Text: "second"})
	}}
	s := newSite(t, setup{svc: svc, hooks: []interceptor.Hook{tr.hook("1", nil)}})
	resp, err := s.Client().Do(s.request(t, http.MethodGet, "/v1/conformance:stream", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), "first") {
		t.Fatalf("first line %q, %v", lines.Text(), lines.Err())
	}
	close(seen)
	if !lines.Scan() || !strings.Contains(lines.Text(), "second") {
		t.Errorf("second line %q, %v", lines.Text(), lines.Err())
	}
	if end := tr.end(t); end.code != "OK" {
		t.Errorf("AfterResponse saw %s", end.code)
	}
}

type ctxKey struct{}

// What BeforeHandler puts into the context reaches the handler, and what the
// gateway put there stays.
func TestContextOfBeforeHandlerReachesHandler(t *testing.T) {
	t.Parallel()
	hook := interceptor.FromFuncs("ctx", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return context.WithValue(ctx, ctxKey{}, "from the hook"), nil
		},
	})
	svc := &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		v, _ := ctx.Value(ctxKey{}).(string)
		return &pb.UnaryResponse{Text: v}, nil
	}}
	var pattern, value any
	opts := middleware(func(next runtime.HandlerFunc) runtime.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request, p map[string]string) {
			pattern, _ = runtime.HTTPPattern(r.Context())
			value = r.Context().Value(ctxKey{})
			next(w, r, p)
		}
	})
	s := newSite(t, setup{svc: svc, hooks: []interceptor.Hook{hook}, opts: opts})
	if got := s.get(t, "/v1/conformance/7"); !strings.Contains(got.body, "from the hook") {
		t.Errorf("the handler answered %s", got.body)
	}
	if fmt.Sprint(pattern) != "/v1/conformance/{id=*}" || value != "from the hook" {
		t.Errorf("a middleware sees pattern %v and value %v", pattern, value)
	}
}

// A header that a hook deletes is gone for the handler, in BeforeRequest and in
// BeforeHandler, also where the request was hardened.
func TestDeletedHeaderDoesNotReachHandler(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"BeforeRequest", "BeforeHandler"} {
		for _, forged := range []string{"", "Grpc-Metadata-X"} {
			t.Run(phase+forged, func(t *testing.T) {
				t.Parallel()
				hook := interceptor.FromFuncs("del", interceptor.Funcs{
					BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
						if phase == "BeforeRequest" {
							call.RequestHeader().Del("Cookie")
						}
						return ctx, nil
					},
					BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
						if phase == "BeforeHandler" {
							call.RequestHeader().Del("Cookie")
						}
						return ctx, nil
					},
				})
				s := newSite(t, setup{svc: echoMetadata("grpcgateway-cookie", "grpcgateway-accept"), hooks: []interceptor.Hook{hook}})
				r := s.request(t, http.MethodGet, "/v1/conformance/7", "")
				r.Header.Set("Cookie", "session=hush")
				r.Header.Set("Accept", "application/json")
				if forged != "" {
					r.Header.Set(forged, "x")
				}
				if got := s.do(t, r); strings.Contains(got.body, "hush") || !strings.Contains(got.body, "application/json") {
					t.Errorf("the handler saw %s, want Accept without Cookie", got.body)
				}
			})
		}
	}
}
