package telemetry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/racing"
)

// TestAttack sends 100,000 requests with methods, paths, hosts, user agents,
// statuses and codes that are nearly all different. What counts them has as many
// series as there are statuses and codes, and not one more.
func TestAttack(t *testing.T) {
	t.Parallel()
	overHTTP, overGRPC := 90_000, 10_000
	if racing.Enabled || testing.Short() {
		overHTTP, overGRPC = overHTTP/20, overGRPC/20
	}
	s := newSink(t, sdktrace.WithSampler(sdktrace.NeverSample())) // counted all the same
	stack := interceptor.MustNew(s.hook(telemetry.Restart, telemetry.ActiveRequests(), telemetry.BodySizes()))

	mux := httpadapter.NewMux(stack)
	mux.HandleFunc("/any/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.Header.Get("X-Status"))
		w.WriteHeader(n)
	})
	for i := range overHTTP {
		mux.ServeHTTP(httptest.NewRecorder(), attack(i))
	}
	srv := grpcadapter.NewServer(stack, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(stream.Context())
		n, _ := strconv.Atoi(md.Get("code")[0])
		return status.Error(codes.Code(n), "odd")
	}))
	conn := rpcServer(t, srv)
	for i := range overGRPC {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "code", strconv.Itoa(1+i), "tracestate", fmt.Sprintf("k%d=v", i))
		if err := conn.Invoke(ctx, fmt.Sprintf("/pkg%d.Service/Method%d", i, i), &emptypb.Empty{}, &emptypb.Empty{}); status.Code(err) != codes.Code(1+i) {
			t.Fatal(err)
		}
	}
	srv.GracefulStop()

	_, metrics := s.take(t)
	for name, most := range map[string]int{
		"http.server.request.duration": 400/2 + 1 + 1, // statuses of 200 to 599 that this attack asks for, others, and what has no route
		"rpc.server.call.duration":     16 + 1,        // codes but OK, and others
	} {
		if got := len(points(metrics, name)); got == 0 || got > most {
			t.Errorf("%s has %d series, want at most %d", name, got, most)
		}
	}
	calls := uint64(0)
	for _, p := range append(points(metrics, "http.server.request.duration"), points(metrics, "rpc.server.call.duration")...) {
		calls += p.Count
	}
	if calls != uint64(overHTTP+overGRPC) {
		t.Errorf("%d calls are counted, want %d", calls, overHTTP+overGRPC)
	}
}
