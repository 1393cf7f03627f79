package grpcadapter_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestMountedInMux mounts a server in a mux of the same stack: one call whose
// headers and trailers reach the client once, on success and on rejection in
// every phase.
func TestMountedInMux(t *testing.T) {
	t.Parallel()
	no := interceptor.NewError(codes.PermissionDenied, "no")
	for _, reject := range []string{"", "BeforeRequest", "BeforeHandler", "OnReceive"} {
		for _, kind := range kinds {
			t.Run(fmt.Sprint("reject in ", reject, "/", kind.name), func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := threeProbes(t, tr, func(p [3]*probe) {
					p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
						return ctx, errors.Join(c.ResponseHeader().Set("x-early", "1"), c.ResponseTrailer().Set("x-trail", "1"))
					}
					p[0].handler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
						return ctx, errors.Join(c.ResponseHeader().Add("x-each", "1"), c.ResponseTrailer().Add("x-last", "1"))
					}
					p[0].response = func(_ context.Context, c *interceptor.Call) error { return c.ResponseHeader().Set("x-late", "2") }
					switch reject {
					case "BeforeRequest":
						p[1].request = func(context.Context, *interceptor.Call) (context.Context, error) { return nil, no }
					case "BeforeHandler":
						p[1].handler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) { return nil, no }
					case "OnReceive":
						p[1].receive = func(context.Context, *interceptor.Call, any) error { return no }
					}
				})
				srv := grpcadapter.NewServer(stack)
				pb.RegisterConformanceServiceServer(srv, &service{})
				mux := httpadapter.NewMux(stack)
				mux.Handle("/", srv)
				got := kind.call(within(t), pb.NewConformanceServiceClient(mounted(t, mux)))
				call := tr.end(t)
				want := codes.OK
				if reject != "" {
					want = codes.PermissionDenied
				}
				if got.code != want || call.Code() != want {
					t.Errorf("client got %+v, AfterResponse saw %v", got, call.Err())
				}
				wantValues(t, "header", got.header, "x-early", "1")
				wantValues(t, "header", got.header, "x-late", "2")
				if reject != "BeforeRequest" {
					wantValues(t, "header", got.header, "x-each", "1")
					wantValues(t, "trailer", got.trailer, "x-last", "1")
				}
				wantValues(t, "trailer", got.trailer, "x-trail", "1")
			})
		}
	}
}
