package authz_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConditionOnMessages: a condition that reads the request decides on every
// transport that has messages, before the handler gets one.
func TestConditionOnMessages(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]codes.Code{
		"request.text == 'hello' && principal.subject == 'alice'": codes.OK,
		"request.text == 'other'":                                 codes.PermissionDenied,
	} {
		t.Run(want.String(), func(t *testing.T) {
			t.Parallel()
			interceptortest.Each(t, hooks(onMessages(condition)...), bearing("reader"), func(t *testing.T, got interceptortest.Result) {
				want := want
				if strings.HasPrefix(got.Transport, "http/") {
					want = codes.OK // a route without messages
				}
				if got.Code != want || got.Reached != (want == codes.OK) {
					t.Fatalf("code %v, handler reached %v; want %v: %v", got.Code, got.Reached, want, got.Call.Err())
				}
				checkRefusal(t, got, "is false")
			})
		})
	}
}

// TestMessagesAreLeftAlone: where no condition reads the request, the hook is not
// asked about any message.
func TestMessagesAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		condition string
		want      bool
	}{{"principal.subject != ''", false}, {"request.text != ''", true}} {
		interceptortest.Each(t, hooks(onMessages(tt.condition)...), bearing("reader"), func(t *testing.T, got interceptortest.Result) {
			want := tt.want && !strings.HasPrefix(got.Transport, "http/")
			for _, phase := range []string{"OnReceive authz", "OnSend authz"} {
				if asked := slices.Contains(got.Trace, phase); asked != want {
					t.Errorf("%s: %s ran: %v, want %v", tt.condition, phase, asked, want)
				}
			}
		})
	}
}

// notebook is a service that notes what it receives, and goes on receiving and
// sending when it is told that a message was refused.
type notebook struct {
	pb.UnimplementedConformanceServiceServer
	mu    sync.Mutex
	texts []string
	edit  bool // exchange the principal during the stream
}

func (n *notebook) note(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, text)
}

func (n *notebook) noted() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.texts, " ")
}

func (n *notebook) ClientStream(s grpc.ClientStreamingServer[pb.ClientStreamRequest, pb.ClientStreamResponse]) error {
	for range 10 {
		m := new(pb.ClientStreamRequest)
		err := s.RecvMsg(m)
		if errors.Is(err, io.EOF) {
			break
		}
		n.note(m.GetText())
	}
	return s.SendAndClose(&pb.ClientStreamResponse{Text: "done"})
}

func (n *notebook) BidiStream(s grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	for range 10 {
		m := new(pb.BidiStreamRequest)
		err := s.RecvMsg(m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		n.note(m.GetText())
		if n.edit {
			call, _ := interceptor.CallFrom(s.Context())
			authn.Key.Set(call, principals["admin"])
		}
		_ = s.Send(&pb.BidiStreamResponse{Text: m.GetText()})
	}
	return nil
}

// serve runs the service behind the hooks, on a socket.
func serve(t *testing.T, svc pb.ConformanceServiceServer, list []interceptor.Hook) pb.ConformanceServiceClient {
	t.Helper()
	srv := grpcadapter.NewServer(interceptor.MustNew(list...))
	pb.RegisterConformanceServiceServer(srv, svc)
	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		srv.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // stopped before it served
			t.Error(err)
		}
	})
	return pb.NewConformanceServiceClient(conn)
}

func bear(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// TestEveryMessageOfAClientStream: the first refused message ends the stream, and no
// text of it or of a later one reaches the handler.
func TestEveryMessageOfAClientStream(t *testing.T) {
	t.Parallel()
	svc := &notebook{}
	client := serve(t, svc, hooks(policy.Service(conformance, policy.Condition("request.text.startsWith('ok')"))))
	s, err := client.ClientStream(bear(t.Context(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"ok1", "ok2", "evil", "ok3"} {
		if err := s.Send(&pb.ClientStreamRequest{Text: text}); err != nil {
			break // the stream has ended, which CloseAndRecv tells
		}
	}
	reply, err := s.CloseAndRecv()
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("%v, %v; want PERMISSION_DENIED", reply, err)
	}
	if got := strings.TrimSpace(svc.noted()); got != "ok1 ok2" {
		t.Errorf("the handler received %q, want the messages before the refused one", got)
	}
}

// TestEveryMessageOfABidiStream does the same where answers come in between, with a
// handler that exchanges the principal meanwhile, which changes no decision.
func TestEveryMessageOfABidiStream(t *testing.T) {
	t.Parallel()
	for _, edit := range []bool{false, true} {
		svc := &notebook{edit: edit}
		client := serve(t, svc, hooks(policy.Service(conformance, policy.Condition("request.text == principal.subject || request.text == 'ok'"))))
		s, err := client.BidiStream(bear(t.Context(), "reader"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"ok", "alice"} {
			if err := s.Send(&pb.BidiStreamRequest{Text: text}); err != nil {
				t.Fatal(err)
			}
			if m, err := s.Recv(); err != nil || m.GetText() != text {
				t.Fatalf("%v, %v; want %q", m, err, text)
			}
		}
		if err := s.Send(&pb.BidiStreamRequest{Text: "root"}); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Recv(); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%v, %v; want PERMISSION_DENIED", m, err)
		}
		if got := strings.TrimSpace(svc.noted()); got != "ok alice" {
			t.Errorf("the handler received %q, want the messages before the refused one", got)
		}
	}
}

// TestNoMessage: a stream on which the client sends nothing cannot end well, and sends
// nothing before the first message has been agreed to.
func TestNoMessage(t *testing.T) {
	t.Parallel()
	svc := &notebook{}
	client := serve(t, svc, hooks(policy.Service(conformance, policy.Condition("request.text == 'ok'"))))
	s, err := client.ClientStream(bear(t.Context(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := s.CloseAndRecv(); err == nil {
		t.Errorf("%v without a message; want an error", reply)
	}
}

// TestStreamOfAStranger: a stream without a credential is refused before any message,
// although the client sends none and closes nothing.
func TestStreamOfAStranger(t *testing.T) {
	t.Parallel()
	client := serve(t, &notebook{}, hooks(policy.Service(conformance, policy.Scopes("items.read"), policy.Condition("request.text == 'ok'"))))
	s, err := client.BidiStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Recv(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("%v, %v; want UNAUTHENTICATED", m, err)
	}
}
