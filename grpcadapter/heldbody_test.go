package grpcadapter_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// countingBody counts what is read of a request's body.
type countingBody struct {
	io.ReadCloser
	read *atomic.Int64
}

func (b countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	return n, err
}

// TestMountedBodyIsHeld: nothing of the body of a refused call is read, whichever
// phase refuses it, and the same call with agreement goes through.
func TestMountedBodyIsHeld(t *testing.T) {
	t.Parallel()
	refusal := interceptor.NewError(codes.PermissionDenied, "not you")
	hooks := map[string]interceptor.Funcs{
		"BeforeRequest": {BeforeRequest: func(context.Context, *interceptor.Call) (context.Context, error) { return nil, refusal }},
		"BeforeHandler": {BeforeHandler: func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			return nil, refusal
		}},
		"agreement": {BeforeHandler: func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return ctx, nil
		}},
	}
	large := strings.Repeat("x", 3<<20)
	for name, funcs := range hooks {
		for _, inMux := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				stack := interceptor.MustNew(interceptor.FromFuncs("decides", funcs))
				srv := grpcadapter.NewServer(stack)
				pb.RegisterConformanceServiceServer(srv, &service{})
				var inner http.Handler = srv
				if inMux {
					mux := httpadapter.NewMux(stack)
					mux.Handle("/", srv)
					inner = mux
				}
				var read atomic.Int64
				client := pb.NewConformanceServiceClient(mounted(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Body = countingBody{r.Body, &read}
					inner.ServeHTTP(w, r)
				})))
				want, least := codes.PermissionDenied, int64(0)
				if name == "agreement" {
					want, least = codes.OK, int64(len(large))
				}
				_, err := client.Unary(within(t), &pb.UnaryRequest{Text: large})
				if n := read.Load(); status.Code(err) != want || n < least || least == 0 && n != 0 {
					t.Errorf("unary: the client got %v; %d bytes of the body were read", err, n)
				}
				read.Store(0)
				err = upload(within(t), client, large)
				if n := read.Load(); status.Code(err) != want || n < least || least == 0 && n != 0 {
					t.Errorf("stream: the client got %v; %d bytes of the body were read", err, n)
				}
			})
		}
	}
}

// upload sends one message on a client stream.
func upload(ctx context.Context, client pb.ConformanceServiceClient, text string) error {
	stream, err := client.ClientStream(ctx)
	if err != nil {
		return err
	}
	_ = stream.Send(&pb.ClientStreamRequest{Text: text}) // why it fails is what CloseAndRecv returns
	_, err = stream.CloseAndRecv()
	return err
}
