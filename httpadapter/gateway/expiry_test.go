package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// A hook that ends the context of a stream says with what: that, and not the deadline
// by which it did so, is what the client reads last and what the call ends with.
func TestStreamEndedByAHook(t *testing.T) {
	t.Parallel()
	expired := interceptor.NewError(codes.Unauthenticated, "the credential has expired")
	expiry := interceptor.FromFuncs("expiry", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			ctx, cancel := context.WithDeadlineCause(ctx, time.Now().Add(50*time.Millisecond), expired)
			call.Defer(cancel)
			return ctx, nil
		},
	})
	tr := newTrace()
	svc := &service{server: func(_ *pb.ServerStreamRequest, stream grpc.ServerStreamingServer[pb.ServerStreamResponse]) error {
		if err := stream.Send(&pb.ServerStreamResponse{Text: "first"}); err != nil {
			return err
		}
		<-stream.Context().Done()
		return nil // as a handler that does not care
	}}
	s := newSite(t, setup{svc: svc, hooks: []interceptor.Hook{tr.hook("1", nil), expiry}})
	got := s.get(t, "/v1/conformance:stream")
	body := strings.ReplaceAll(got.body, " ", "")
	if got.StatusCode != http.StatusOK || !strings.Contains(body, `"code":16`) || !strings.Contains(got.body, "the credential has expired") {
		t.Errorf("got %d %s, want the reason of the hook at its end", got.StatusCode, got.body)
	}
	if end := tr.end(t); end.code != "Unauthenticated" {
		t.Errorf("the call ended with %s", end.code)
	}
}
