package ecosystem_test

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc"
	channelzpb "google.golang.org/grpc/channelz/grpc_channelz_v1"
	channelz "google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
)

// The services that come with grpc-go work in every way of having a stack, and
// reflection tells what it tells without one.
func TestServicesOfGRPC(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			state := health.NewServer()
			s := service{stack: l.stack(t), register: func(r grpc.ServiceRegistrar) { registerServices(t, r, state) }}
			conn := w.start(t, s)
			watchHealth(t, conn, state)
			readChannelz(t, conn)
			got := reflect(t, conn)
			l.balance(t, 1+1+1+len(reflectionRequests))

			srv := grpc.NewServer()
			registerServices(t, srv, health.NewServer())
			want := reflect(t, dial(t, serveGRPC(t, srv)))
			for i := range want {
				if !proto.Equal(got[i], want[i]) {
					t.Errorf("reflection answers %v, without a stack %v", got[i], want[i])
				}
			}
		})
	}
}

func registerServices(t *testing.T, r grpc.ServiceRegistrar, state *health.Server) {
	t.Helper()
	healthpb.RegisterHealthServer(r, state)
	channelz.RegisterChannelzServiceToServer(r)
	testpb.RegisterTestServiceServer(r, interop.NewTestServer())
	described, ok := r.(reflection.GRPCServer)
	if !ok {
		t.Fatalf("reflection cannot be registered on a %T", r)
	}
	reflection.Register(described)
}

// watchHealth makes a unary call and a stream that ends when the client leaves.
func watchHealth(t *testing.T, conn grpc.ClientConnInterface, state *health.Server) {
	t.Helper()
	client := healthpb.NewHealthClient(conn)
	if out, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil || out.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("Check: %v, %v; want SERVING", out.GetStatus(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watch, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []healthpb.HealthCheckResponse_ServingStatus{healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING} {
		if out, err := watch.Recv(); err != nil || out.GetStatus() != want {
			t.Errorf("Watch: %v, %v; want %v", out.GetStatus(), err, want)
		}
		state.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	}
}

// readChannelz asks for the process's servers, this one among them.
func readChannelz(t *testing.T, conn grpc.ClientConnInterface) {
	t.Helper()
	out, err := channelzpb.NewChannelzClient(conn).GetServers(t.Context(), &channelzpb.GetServersRequest{})
	if err != nil || len(out.GetServer()) == 0 {
		t.Errorf("channelz tells of %d servers, %v; want some", len(out.GetServer()), err)
	}
}

var reflectionRequests = []*reflectionpb.ServerReflectionRequest{
	{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}},
	{MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "grpc.testing.TestService"}},
	{MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "no.such.Service"}},
}

// reflect asks a server what it serves, each question on a stream of its own.
func reflect(t *testing.T, conn grpc.ClientConnInterface) []*reflectionpb.ServerReflectionResponse {
	t.Helper()
	var answers []*reflectionpb.ServerReflectionResponse
	for _, request := range reflectionRequests {
		stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if services := answer.GetListServicesResponse().GetService(); services != nil && !slices.ContainsFunc(services, func(s *reflectionpb.ServiceResponse) bool {
			return s.GetName() == testpb.TestService_ServiceDesc.ServiceName
		}) {
			t.Errorf("reflection lists %v, without %s", services, testpb.TestService_ServiceDesc.ServiceName)
		}
		answers = append(answers, answer)
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err == nil {
			t.Error("reflection answers twice")
		}
	}
	return answers
}
