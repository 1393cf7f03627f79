package authn_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// patient has a handler that waits for the end of its context, and one that
// tells who calls.
type patient struct {
	pb.UnimplementedConformanceServiceServer
}

// Unary answers with the caller's subject.
func (patient) Unary(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	p, _ := authn.From(ctx)
	return &pb.UnaryResponse{Text: p.Subject()}, nil
}

// ServerStream sends a message, waits, and returns what the context says.
func (patient) ServerStream(_ *pb.ServerStreamRequest, s grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
	if err := s.Send(&pb.ServerStreamResponse{}); err != nil {
		return err
	}
	<-s.Context().Done()
	return s.Context().Err()
}

// TestStreamEndsAtExpiryOnTheWire runs a real client and a real server in virtual
// time: a credential that expires buys no stream for ever.
func TestStreamEndsAtExpiryOnTheWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer x")
		s, err := dial(t, expiring(start.Add(time.Minute)), patient{}).ServerStream(ctx, &pb.ServerStreamRequest{})
		messages := -1
		for ; err == nil; messages++ {
			_, err = s.Recv()
		}
		if st := status.Convert(err); st.Code() != codes.Unauthenticated || st.Message() != "the credential has expired" || messages != 1 {
			t.Errorf("the client got %v after %d messages; want Unauthenticated after one", err, messages)
		}
		if d := time.Since(start); d != time.Minute {
			t.Errorf("the stream ended after %v; want the minute its credential was good for", d)
		}
	})
}

// TestHeldMessageOnTheWire opens a unary call and sends its message when the credential
// has expired.
func TestHeldMessageOnTheWire(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]codes.Code{time.Second: codes.OK, 2 * time.Minute: codes.Unauthenticated} {
		synctest.Test(t, func(t *testing.T) {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer x")
			conn := connect(t, expiring(time.Now().Add(time.Minute)), patient{})
			s, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, pb.ConformanceService_Unary_FullMethodName)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(wait) // virtual time
			_ = s.SendMsg(&pb.UnaryRequest{})
			_ = s.CloseSend()
			if err := s.RecvMsg(&pb.UnaryResponse{}); status.Code(err) != want {
				t.Errorf("a message after %v: %v, want %v", wait, err, want)
			}
		})
	}
}

// TestHostileCredentialsOverGRPC sends what gRPC can carry to a real server.
func TestHostileCredentialsOverGRPC(t *testing.T) {
	t.Parallel()
	client := dial(t, quiet(authn.New(authn.Bearer(tokens))), patient{})
	for _, tt := range hostile {
		ctx, sendable := t.Context(), true
		for _, v := range tt.values {
			sendable = sendable && len(v) < 1<<15 && !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", v)
		}
		if !sendable { // grpc-go's client refuses these itself
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var header, trailer metadata.MD
			reply, err := client.Unary(ctx, &pb.UnaryRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
			if st := status.Convert(err); st.Code() != codes.Unauthenticated || st.Message() != "a valid credential is required" {
				t.Errorf("the client got %v, %v; want Unauthenticated with the fixed text", reply, err)
			}
			if got := metadata.Join(header, trailer).Get("www-authenticate"); len(got) != 1 || got[0] != "Bearer" {
				t.Errorf("www-authenticate %q, want Bearer", got)
			}
		})
	}
	t.Run("a good one", func(t *testing.T) {
		t.Parallel()
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "bEaReR T_reader")
		if reply, err := client.Unary(ctx, &pb.UnaryRequest{}); err != nil || reply.GetText() != "alice" {
			t.Errorf("%v, %v; want alice", reply, err)
		}
	})
	t.Run("binary metadata", func(t *testing.T) {
		t.Parallel()
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization-bin", "Bearer T_reader")
		if _, err := client.Unary(ctx, &pb.UnaryRequest{}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%v; want Unauthenticated", err)
		}
	})
}

// TestHostileCredentialsOverHTTP does the same with a plain route.
func TestHostileCredentialsOverHTTP(t *testing.T) {
	t.Parallel()
	mux := httpadapter.NewMux(quiet(authn.New(authn.Bearer(tokens))))
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		p, _ := authn.From(r.Context())
		_, _ = w.Write([]byte("reached as " + p.Subject()))
	})
	get := func(target string, values ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
		r.Header["Authorization"] = values
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	check := func(t *testing.T, w *httptest.ResponseRecorder) {
		t.Helper()
		if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("answered %d, WWW-Authenticate %q; want 401, Bearer", w.Code, w.Header().Get("WWW-Authenticate"))
		}
		if body := w.Body.String(); !strings.Contains(body, "a valid credential is required") || strings.Contains(body, "T_") || strings.Contains(body, "reached") {
			t.Errorf("body %q; want the fixed text", body)
		}
	}
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, get("/me", tt.values...))
		})
	}
	for _, target := range []string{"/me?access_token=T_reader", "/me?authorization=Bearer+T_reader", "/me?token=T_reader"} {
		check(t, get(target))
	}
	if w := get("/me", "Bearer T_reader"); w.Body.String() != "reached as alice" {
		t.Errorf("answered %d %q; want alice", w.Code, w.Body)
	}
}

// dial serves impl behind stack in memory and returns a client of it.
func dial(t *testing.T, stack *interceptor.Stack, impl pb.ConformanceServiceServer) pb.ConformanceServiceClient {
	t.Helper()
	return pb.NewConformanceServiceClient(connect(t, stack, impl))
}

func connect(t *testing.T, stack *interceptor.Stack, impl pb.ConformanceServiceServer) *grpc.ClientConn {
	t.Helper()
	srv := grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(srv, impl)
	lis := bufconn.Listen(1 << 16)
	served := make(chan error)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
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
	return conn
}
