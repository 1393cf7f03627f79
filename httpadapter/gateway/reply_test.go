package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

func replyIn(phase string, message proto.Message) func(*interceptor.Funcs) {
	return func(f *interceptor.Funcs) {
		switch phase {
		case "BeforeRequest":
			f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
				return ctx, call.Reply(message)
			}
		case "BeforeHandler":
			f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
				return ctx, call.Reply(message)
			}
		case "OnError":
			f.OnError = func(_ context.Context, call *interceptor.Call, _ error) error { return call.Reply(message) }
		}
	}
}

// A reply of a hook is a success and leaves through the gateway, wherever it was
// given and whatever the request would have come to.
func TestReply(t *testing.T) {
	t.Parallel()
	unary, streamed := &pb.UnaryResponse{Text: "hook"}, &pb.ServerStreamResponse{Text: "hook"}
	const result = `{"text":"hook"`
	const chunk = `{"result":{"index":0,"text":"hook"}}`
	failed := failing(status.Error(codes.Aborted, "x"))
	tests := []struct {
		name, phase      string
		message          proto.Message
		svc              *service
		verb, path, body string
		want, phases     string
		ran              int64
	}{
		{"before routing", "BeforeRequest", unary, nil, "GET", "/v1/conformance/7", "", result, "BR1 TX2 TX1 RS2 RS1 AR2 AR1", 0},
		{"before routing, stream", "BeforeRequest", streamed, nil, "GET", "/v1/conformance:stream", "", chunk, "BR1 TX2 TX1 RS2 RS1 AR2 AR1", 0},
		{"before the handler", "BeforeHandler", unary, nil, "GET", "/v1/conformance/7", "", result, "BR1 BR2 BH1 TX2 TX1 RS2 RS1 AR2 AR1", 0},
		{"before the handler, stream", "BeforeHandler", streamed, nil, "GET", "/v1/conformance:stream", "", chunk, "BR1 BR2 BH1 TX2 TX1 RS2 RS1 AR2 AR1", 0},
		{"before the handler, undecodable body", "BeforeHandler", unary, nil, "POST", "/v1/conformance", "{", result, "BR1 BR2 BH1 TX2 TX1 RS2 RS1 AR2 AR1", 0},
		{"before the handler, undecodable query", "BeforeHandler", unary, nil, "GET", "/v1/conformance/7?upper_case=maybe", "", result, "BR1 BR2 BH1 TX2 TX1 RS2 RS1 AR2 AR1", 0},
		{"instead of the handler's error", "OnError", unary, failed, "GET", "/v1/conformance/7", "", result, "BR1 BR2 BH1 BH2 RX1 RX2 TX2 TX1 RS2 RS1 AR2 AR1", 1},
		{"instead of a stream's error", "OnError", streamed, sendThenFail(0, status.Error(codes.Aborted, "x")), "GET", "/v1/conformance:stream", "", chunk,
			"BR1 BR2 BH1 BH2 RX1 RX2 TX2 TX1 RS2 RS1 AR2 AR1", 0},
		{"instead of an undecodable body's", "OnError", unary, nil, "POST", "/v1/conformance", "{", result, "BR1 BR2 BH1 BH2 TX2 TX1 RS2 RS1 AR2 AR1", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := newSite(t, setup{svc: tt.svc, hooks: []interceptor.Hook{tr.hook("1", nil), tr.hook("2", replyIn(tt.phase, tt.message))}})
			got := s.do(t, s.request(t, tt.verb, tt.path, tt.body))
			if body := strings.ReplaceAll(got.body, " ", ""); got.StatusCode != 200 || !strings.HasPrefix(body, tt.want) {
				t.Errorf("got %d %s, want 200 %s", got.StatusCode, got.body, tt.want)
			}
			end := tr.end(t)
			if end.phases != tt.phases || end.code != "OK" || end.httpStatus != 200 {
				t.Errorf("hooks saw %s, %d\n got %s\nwant %s", end.code, end.httpStatus, end.phases, tt.phases)
			}
			if tt.svc == nil && s.svc.ran.Load() != tt.ran {
				t.Errorf("the handler ran %d times", s.svc.ran.Load())
			}
		})
	}
}

// Where no route matches there is no RPC whose message a reply could be: it is a
// bug of the hook.
func TestReplyWithoutARoute(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"BeforeRequest", "OnError"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := newSite(t, setup{hooks: []interceptor.Hook{tr.hook("1", nil), tr.hook("2", replyIn(phase, &pb.UnaryResponse{Text: "hook"}))}})
			got := s.get(t, "/v1/nothing")
			if end := tr.end(t); got.StatusCode != 500 || end.code != "Internal" || end.httpStatus != 500 || strings.Contains(got.body, "hook") {
				t.Errorf("got %d %s; AfterResponse saw %s, %d", got.StatusCode, got.body, end.code, end.httpStatus)
			}
			if r := s.reports.String(); !strings.Contains(r, "replied with a message") {
				t.Errorf("the operator reads %q", r)
			}
		})
	}
}

// A reply that JSON cannot carry is a failure, and not written again.
func TestReplyThatJSONCannotCarryFails(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"BeforeRequest", "BeforeHandler"} {
		for _, path := range []string{"/v1/conformance/7", "/v1/conformance/7?upper_case=maybe"} {
			t.Run(phase+path, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				s := newSite(t, setup{hooks: []interceptor.Hook{tr.hook("1", nil), tr.hook("2", replyIn(phase, &pb.UnaryResponse{Detail: unencodable}))}})
				got := s.get(t, path)
				if end := tr.end(t); got.StatusCode != 500 || end.code != "Internal" || strings.Count(end.phases, "OE1") != 1 {
					t.Errorf("got %d %s; hooks saw %s after %s", got.StatusCode, got.body, end.code, end.phases)
				}
			})
		}
	}
}

// A reply does not wait for a body nobody needs.
func TestReplyDoesNotReadTheBody(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{hooks: []interceptor.Hook{interceptor.FromFuncs("reply", func() (f interceptor.Funcs) {
		replyIn("BeforeHandler", &pb.UnaryResponse{Text: "hook"})(&f)
		return f
	}())}, server: nil})
	body, send := io.Pipe()
	defer func() { _ = send.Close() }()
	r := s.request(t, http.MethodPost, "/v1/conformance", "")
	r.Body, r.ContentLength = body, 1000 // none of which is sent before the answer is here
	if got := s.do(t, r); got.StatusCode != 200 || !strings.Contains(got.body, "hook") {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
}

// BeforeResponse may replace the reply of a hook that recovered a failure of the
// gateway's own side; its message passes the marshaler too.
func TestBeforeResponseReplacesAReply(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	s := newSite(t, setup{hooks: []interceptor.Hook{
		tr.hook("1", func(f *interceptor.Funcs) {
			f.BeforeResponse = func(_ context.Context, call *interceptor.Call) error {
				return call.Reply(&pb.UnaryResponse{Text: "second"})
			}
		}),
		tr.hook("2", replyIn("OnError", &pb.UnaryResponse{Text: "first"})),
	}})
	got := s.post(t, "/v1/conformance", "{")
	if end := tr.end(t); got.StatusCode != 200 || !strings.Contains(got.body, "second") || end.code != "OK" {
		t.Errorf("got %d %s; AfterResponse saw %s", got.StatusCode, got.body, end.code)
	}
}

// ReplyHTTP goes out as it is.
func TestReplyHTTP(t *testing.T) {
	t.Parallel()
	reply := func(call *interceptor.Call) error { return call.ReplyHTTP(202, "text/plain", []byte("as it is")) }
	failed := func() *service {
		svc := sendThenFail(0, status.Error(codes.Aborted, "x"))
		svc.unary = failing(status.Error(codes.Aborted, "x")).unary
		return svc
	}
	for _, path := range []string{"/v1/conformance/7", "/v1/conformance:stream"} {
		for phase, tt := range map[string]struct {
			svc    *service
			change func(*interceptor.Funcs)
		}{
			"BeforeRequest": {failed(), func(f *interceptor.Funcs) {
				f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) { return ctx, reply(call) }
			}},
			"BeforeHandler": {failed(), func(f *interceptor.Funcs) {
				f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					return ctx, reply(call)
				}
			}},
			"OnReceive": {failed(), func(f *interceptor.Funcs) {
				f.OnReceive = func(_ context.Context, call *interceptor.Call, _ any) error { return reply(call) }
			}},
			"OnError": {failed(), func(f *interceptor.Funcs) {
				f.OnError = func(_ context.Context, call *interceptor.Call, _ error) error { return reply(call) }
			}},
			"BeforeResponse": {new(service), func(f *interceptor.Funcs) {
				f.BeforeResponse = func(_ context.Context, call *interceptor.Call) error { return reply(call) }
			}},
		} {
			t.Run(phase+path, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				s := newSite(t, setup{svc: tt.svc, hooks: []interceptor.Hook{tr.hook("1", nil), tr.hook("2", tt.change)}})
				got := s.get(t, path)
				if got.StatusCode != 202 || got.body != "as it is" || got.Header.Get("Content-Type") != "text/plain" {
					t.Errorf("got %d %s %q", got.StatusCode, got.Header.Get("Content-Type"), got.body)
				}
				if end := tr.end(t); end.code != "OK" || end.httpStatus != 202 {
					t.Errorf("AfterResponse saw %s, %d after %s", end.code, end.httpStatus, end.phases)
				}
			})
		}
	}
}
