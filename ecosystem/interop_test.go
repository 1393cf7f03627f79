package ecosystem_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// interopCase is one of gRPC's interoperability cases, as all implementations of
// gRPC run them against each other.
type interopCase struct {
	name  string
	calls int // how many calls of the stack it makes; -1 where a call may be over before it arrives
	run   func(t *testing.T, conn grpc.ClientConnInterface)
}

// official makes a case of a function of package interop.
func official(name string, calls int, do func(context.Context, testpb.TestServiceClient, ...grpc.CallOption)) interopCase {
	return interopCase{name, calls, func(t *testing.T, conn grpc.ClientConnInterface) {
		mustNotBeFatal(t, func() { do(t.Context(), testpb.NewTestServiceClient(conn)) })
	}}
}

var interopCases = []interopCase{
	official("empty_unary", 1, interop.DoEmptyUnaryCall),
	official("large_unary", 1, interop.DoLargeUnaryCall),
	official("client_streaming", 1, interop.DoClientStreaming),
	official("server_streaming", 1, interop.DoServerStreaming),
	official("ping_pong", 1, interop.DoPingPong),
	official("empty_stream", 1, interop.DoEmptyStream),
	official("timeout_on_sleeping_server", -1, interop.DoTimeoutOnSleepingServer),
	official("cancel_after_begin", -1, interop.DoCancelAfterBegin),
	official("cancel_after_first_response", 1, interop.DoCancelAfterFirstResponse),
	official("custom_metadata", 2, interop.DoCustomMetadata),
	official("status_code_and_message", 2, interop.DoStatusCodeAndMessage),
	official("special_status_message", 1, interop.DoSpecialStatusMessage),
	{"unimplemented_method", 1, unimplementedMethod},
	{"unimplemented_service", 1, func(t *testing.T, conn grpc.ClientConnInterface) {
		mustNotBeFatal(t, func() { interop.DoUnimplementedService(t.Context(), testpb.NewUnimplementedServiceClient(conn)) })
	}},
}

// unimplementedMethod is the official case where there is a wire. That one takes
// only a *grpc.ClientConn, so for other connections the same is written here.
func unimplementedMethod(t *testing.T, conn grpc.ClientConnInterface) {
	if cc, ok := conn.(*grpc.ClientConn); ok {
		mustNotBeFatal(t, func() { interop.DoUnimplementedMethod(t.Context(), cc) })
		return
	}
	err := conn.Invoke(t.Context(), "/grpc.testing.TestService/UnimplementedCall", &testpb.Empty{}, &testpb.Empty{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("Invoke: %v; want the code %v", err, codes.Unimplemented)
	}
}

// Every official case passes against a server with a stack, whichever way the
// stack is there, and each of its calls is a call of the stack.
func TestInterop(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range interopCases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					l := newLedger()
					c.run(t, w.start(t, interopService(l.stack(t), service{})))
					l.balance(t, c.calls)
				})
			}
		})
	}
	var names []string
	for _, c := range interopCases {
		names = append(names, c.name)
	}
	t.Logf("%d cases in each of %d ways: %s", len(names), len(ways), strings.Join(names, ", "))
}
