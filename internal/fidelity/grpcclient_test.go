package fidelity_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// client is a conversation of grpc-go's own client.
func client(name string, subject rpcs, talk func(c *conversation, api pb.ConformanceServiceClient, conn *grpc.ClientConn)) scenario[rpcs] {
	return scenario[rpcs]{name, subject, func(c *conversation, s *site) {
		conn, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			c.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		talk(c, pb.NewConformanceServiceClient(conn), conn)
	}}
}

// sawMD notes metadata in the order of its keys. In which block the content type
// comes is compared in frames.
func sawMD(c *conversation, what string, md metadata.MD) {
	for _, key := range slices.Sorted(maps.Keys(md)) {
		if key != "date" && key != "content-type" && key != idField {
			c.saw("%s %s %q", what, key, md[key])
		}
	}
}

// sawStatus notes all that a status says.
func sawStatus(c *conversation, err error) {
	st := status.Convert(err)
	c.saw("%v %q %v", st.Code(), st.Message(), st.Details())
}

func unaryCall(c *conversation, api pb.ConformanceServiceClient, id string, opts ...grpc.CallOption) {
	var header, trailer metadata.MD
	reply, err := api.Unary(c.Context(), &pb.UnaryRequest{Id: id, Text: "hello"}, append(opts, grpc.Header(&header), grpc.Trailer(&trailer))...)
	c.saw("reply %q", reply.GetText())
	sawStatus(c, err)
	sawMD(c, "header", header)
	sawMD(c, "trailer", trailer)
}

// clientScenarios are conversations where what a real client makes of the wire
// matters, or what the server is made of.
func clientScenarios() []scenario[rpcs] {
	all := []scenario[rpcs]{
		client("compressed both ways", rpcs{}, func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
			unaryCall(c, api, "compressor", grpc.UseCompressor("gzip"))
		}),
		client("a request over the limit", withOptions(grpc.MaxRecvMsgSize(1000)), func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
			_, err := api.Unary(c.Context(), &pb.UnaryRequest{Text: strings.Repeat("x", 100<<10)})
			sawStatus(c, err)
			unaryCall(c, api, "echo")
		}),
		client("a client that cancels", rpcs{}, func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
			ctx, cancel := context.WithCancel(c.Context())
			go func() {
				c.wait("inside")
				cancel()
			}()
			_, err := api.Unary(ctx, &pb.UnaryRequest{Id: "block"})
			sawStatus(c, err)
			c.wait("gone")
		}),
		client("streams of every kind", rpcs{}, everyStream),
		client("what is served", rpcs{}, func(c *conversation, _ pb.ConformanceServiceClient, conn *grpc.ClientConn) {
			info, _ := c.marks.Load("services")
			services := info.(map[string]grpc.ServiceInfo)
			for _, name := range slices.Sorted(maps.Keys(services)) {
				methods := services[name].Methods
				slices.SortFunc(methods, func(a, b grpc.MethodInfo) int { return strings.Compare(a.Name, b.Name) })
				c.saw("%s %v %v", name, methods, services[name].Metadata)
			}
			health, err := healthpb.NewHealthClient(conn).Check(c.Context(), &healthpb.HealthCheckRequest{})
			c.saw("health %v %v", health.GetStatus(), err)
			reflect(c, conn)
		}),
		client("interceptors of the user", rpcs{interceptors}, func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
			unaryCall(c, api, "echo")
			unaryCall(c, api, "error")
			everyStream(c, api, nil)
		}),
		client("a stats handler of the user", rpcs{func(c *conversation) []grpc.ServerOption {
			return []grpc.ServerOption{grpc.StatsHandler(&statsNotes{c: c})}
		}}, func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
			for _, id := range []string{"echo", "error", "header and error", "send header"} {
				unaryCall(c, api, id)
			}
			everyStream(c, api, nil)
		}),
		client("an unknown-service handler of the user", withOptions(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			method, _ := grpc.MethodFromServerStream(stream)
			return status.Error(codes.Unavailable, "nobody has "+method)
		})), func(c *conversation, api pb.ConformanceServiceClient, conn *grpc.ClientConn) {
			sawStatus(c, conn.Invoke(c.Context(), "/other.Service/Method", &pb.UnaryRequest{}, &pb.UnaryResponse{}))
			unaryCall(c, api, "echo")
		}),
		client("a tap of the user", rpcs{func(c *conversation) []grpc.ServerOption {
			return []grpc.ServerOption{grpc.InTapHandle(func(ctx context.Context, info *tap.Info) (context.Context, error) {
				c.note("tap %s", info.FullMethodName)
				return ctx, nil
			})}
		}}, func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) { unaryCall(c, api, "echo") }),
		client("many calls", rpcs{}, func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
			var calls sync.WaitGroup
			for i := range 100 {
				calls.Go(func() {
					text := fmt.Sprint(i)
					if got, err := api.Unary(c.Context(), &pb.UnaryRequest{Text: text}); err != nil || got.GetText() != text {
						c.Errorf("got %v, %v; want %s", got, err, text)
					}
				})
			}
			calls.Wait()
		}),
	}
	for _, id := range []string{"echo", "metadata", "details", "retry", "unicode", "facts", "own cancel", "own deadline"} {
		all = append(all, client("a client asks for "+id, rpcs{}, func(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
			unaryCall(c, api, id)
		}))
	}
	return all
}

func everyStream(c *conversation, api pb.ConformanceServiceClient, _ *grpc.ClientConn) {
	down, err := api.ServerStream(c.Context(), &pb.ServerStreamRequest{Text: "m", Count: 3})
	if err != nil {
		c.Fatal(err)
	}
	for err == nil {
		var m *pb.ServerStreamResponse
		if m, err = down.Recv(); err == nil {
			c.saw("down %v", m.GetIndex())
		}
	}
	c.saw("end %t %v", errors.Is(err, io.EOF), status.Code(err))
	up, err := api.ClientStream(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	for i := range int32(3) {
		_ = up.Send(&pb.ClientStreamRequest{Index: i, Text: "u"})
	}
	sum, err := up.CloseAndRecv()
	c.saw("sum %d %q %v", sum.GetCount(), sum.GetText(), err)
	both, err := api.BidiStream(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	for i := range int32(3) {
		_ = both.Send(&pb.BidiStreamRequest{Index: i, Text: "b"})
		m, err := both.Recv()
		c.saw("back %d %q %v", m.GetIndex(), m.GetText(), err)
	}
	_ = both.CloseSend()
	_, err = both.Recv()
	c.saw("end %t", errors.Is(err, io.EOF))
}

// reflect notes what server reflection tells.
func reflect(c *conversation, conn *grpc.ClientConn) {
	stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	ask := func(r *grpc_reflection_v1.ServerReflectionRequest) *grpc_reflection_v1.ServerReflectionResponse {
		if err := stream.Send(r); err != nil {
			c.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			c.Fatal(err)
		}
		return answer
	}
	list := ask(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}})
	for _, s := range list.GetListServicesResponse().GetService() {
		c.saw("reflects %s", s.GetName())
	}
	file := ask(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{
		FileContainingSymbol: pb.ConformanceService_ServiceDesc.ServiceName,
	}})
	for _, b := range file.GetFileDescriptorResponse().GetFileDescriptorProto() {
		c.saw("file %s", show(b))
	}
	_ = stream.CloseSend()
	_, _ = stream.Recv()
}

// interceptors are two of each kind, which note when they run.
func interceptors(c *conversation) []grpc.ServerOption {
	unaryNote := func(name string) grpc.UnaryServerInterceptor {
		return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			c.note("%s before %s with %T for %T", name, info.FullMethod, req, info.Server)
			reply, err := next(ctx, req)
			c.note("%s after: %T %v", name, reply, err)
			return reply, err
		}
	}
	streamNote := func(name string) grpc.StreamServerInterceptor {
		return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			c.note("%s before %s for %T client %t server %t", name, info.FullMethod, srv, info.IsClientStream, info.IsServerStream)
			err := next(srv, stream)
			c.note("%s after: %v", name, err)
			return err
		}
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(unaryNote("first"), unaryNote("second")),
		grpc.ChainStreamInterceptor(streamNote("first"), streamNote("second")),
	}
}

// statsNotes notes what a stats handler is told about RPCs, each for itself: a client
// may have begun the next one when the server ends the last.
type statsNotes struct{ c *conversation }

type statsKey struct{}

func (s *statsNotes) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	events := s.c.newPart()
	events.add("tag %s", info.FullMethodName)
	return context.WithValue(ctx, statsKey{}, events)
}

func (s *statsNotes) HandleRPC(ctx context.Context, event stats.RPCStats) {
	events, _ := ctx.Value(statsKey{}).(*transcript)
	switch e := event.(type) {
	case *stats.InPayload:
		events.add("in %T %d", e.Payload, e.Length)
	case *stats.OutPayload:
		events.add("out %T %d", e.Payload, e.Length)
	case *stats.End:
		events.add("end %v", e.Error)
	case *stats.OutHeader:
		events.add("out header %s", e.FullMethod)
	default:
		events.add("%T", event)
	}
}

func (*statsNotes) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*statsNotes) HandleConn(context.Context, stats.ConnStats)                       {}
