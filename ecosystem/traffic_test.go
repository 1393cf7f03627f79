package ecosystem_test

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/crosscut-go/crosscut/interceptor"
)

// interopService serves package interop's service with the stack; s has what
// else there is.
func interopService(stack *interceptor.Stack, s service) service {
	s.stack = stack
	s.register = func(r grpc.ServiceRegistrar) { testpb.RegisterTestServiceServer(r, interop.NewTestServer()) }
	return s
}

// traffic makes calls of every kind, some of which fail as they should, and
// returns how many.
func traffic(t *testing.T, conn grpc.ClientConnInterface, opts ...grpc.CallOption) (calls int) {
	t.Helper()
	client := testpb.NewTestServiceClient(conn)
	for _, c := range []struct {
		calls int
		do    func(context.Context, testpb.TestServiceClient, ...grpc.CallOption)
	}{
		{1, interop.DoEmptyUnaryCall},
		{1, interop.DoLargeUnaryCall},
		{1, interop.DoClientStreaming},
		{1, interop.DoServerStreaming},
		{1, interop.DoPingPong},
		{2, interop.DoCustomMetadata},
		{2, interop.DoStatusCodeAndMessage},
	} {
		mustNotBeFatal(t, func() { c.do(t.Context(), client, opts...) })
		calls += c.calls
	}
	return calls
}
