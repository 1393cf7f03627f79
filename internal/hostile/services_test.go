package hostile_test

import (
	"fmt"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	channelz "google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
)

// otherServices registers what programs like to have listening beside their own API.
func otherServices(s grpc.ServiceRegistrar) {
	reflection.Register(s.(*grpcadapter.Server))
	channelz.RegisterChannelzServiceToServer(s)
	healthpb.RegisterHealthServer(s, health.NewServer())
}

const (
	reflectionService = "grpc.reflection.v1.ServerReflection"
	healthService     = "grpc.health.v1.Health"
)

// TestOtherServices is H63 and the gRPC half of H64: what somebody else's .proto
// defines is closed until it is declared, and then as it is declared.
func TestOtherServices(t *testing.T) {
	t.Parallel()
	for _, d := range []door{wire, mounted} {
		closed := newSite(t, d, options{more: otherServices})
		for _, method := range []string{
			"/" + reflectionService + "/ServerReflectionInfo", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
			"/grpc.channelz.v1.Channelz/GetServers", "/" + healthService + "/Check", "/" + healthService + "/Watch",
		} {
			for _, fields := range [][]string{nil, {bearer(admin())}} {
				closed.judge(t, row{
					name: "H63 " + method, call: ping, path: "POST " + method, fields: fields, want: denied.with(method), noGood: true, times: 50,
				})
			}
		}
		open := newSite(t, d, options{more: otherServices, rules: []policy.Option{
			policy.Service(healthService, policy.Public), policy.Service(reflectionService, policy.Roles("admin")),
		}})
		check := row{name: "H64", call: ping, path: "POST /" + healthService + "/Check", want: allowed.with("/" + healthService + "/Check"), elsewhere: true, times: 50}
		check.after = func(t *testing.T, _ *site, first reply) {
			t.Helper()
			want, _ := proto.Marshal(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING})
			if string(first.body) != frame(0, want) {
				t.Errorf("health says %q", first.body)
			}
		}
		open.judge(t, check)
		info := row{name: "H63", call: ping, path: "POST /" + reflectionService + "/ServerReflectionInfo", noGood: true, times: 50}
		label := "/" + reflectionService + "/ServerReflectionInfo"
		info.want = unauthenticated.with(label)
		open.judge(t, info)
		info.fields, info.want = []string{bearer(reader())}, denied.with(label)
		open.judge(t, info)
		info.fields, info.want, info.elsewhere = []string{bearer(admin())}, allowed.with(label), true
		info.alter = func(a *ask) { a.body = "" } // asks nothing
		open.judge(t, info)
	}
}

// TestHealthOverREST is the rest of H64.
func TestHealthOverREST(t *testing.T) {
	t.Parallel()
	for _, public := range []bool{false, true} {
		o := options{more: otherServices, health: true}
		probe := row{name: fmt.Sprint("H64 public ", public), call: ping, path: "GET /healthz", noGood: true, times: 50, elsewhere: true}
		probe.want = denied.with("/" + healthService + "/Check")
		if public {
			o.rules = []policy.Option{policy.Service(healthService, policy.Public)}
			probe.want = allowed.with("/" + healthService + "/Check")
		}
		newSite(t, rest, o).judge(t, probe)
	}
}

// healthOption serves the health of the program at /healthz.
func (s *site) healthOption() []gateway.Option {
	return []gateway.Option{
		gateway.MuxOptions(runtime.WithHealthzEndpoint(healthpb.NewHealthClient(s.grpc.Conn()))),
		gateway.Bind("GET", "/healthz", "/"+healthService+"/Check"),
	}
}
