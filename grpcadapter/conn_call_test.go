package grpcadapter_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConnIsAnotherCall checks that a handler that calls another method with its
// own context lends it nothing: the hooks run again, with a call of their own and
// without the values of the context.
func TestConnIsAnotherCall(t *testing.T) {
	t.Parallel()
	type key struct{}
	user := interceptor.NewKey[string]("user")
	var srv *grpcadapter.Server
	seen := map[string]int{}
	intKey := new(int)
	hook := interceptor.FromFuncs("user", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, c *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			seen[m.Name()]++
			if _, has := user.Get(c); has {
				t.Errorf("%s began with a principal", m.Name())
			}
			if m.Name() == bidiName {
				return ctx, nil
			}
			user.Set(c, "alice")
			return context.WithValue(context.WithValue(ctx, key{}, "secret"), intKey, "secret"), nil
		},
	})
	_, srv = inProcess(t, interceptor.MustNew(hook), &service{
		unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			if v, _ := user.From(ctx); v != "alice" || ctx.Value(key{}) != "secret" {
				t.Error("the outer handler lacks what its hook added")
			}
			return &pb.UnaryResponse{}, beginAndSend(ctx, kindsOfCall[1], srv.Conn())
		},
		serverStream: func(_ *pb.ServerStreamRequest, ss serverStreamServer) error {
			// The inner call first: the caller goes on with the first message.
			return errors.Join(beginAndSend(ss.Context(), kindsOfCall[3], srv.Conn()), ss.Send(&pb.ServerStreamResponse{}))
		},
		bidiStream: func(ss bidiStreamServer) error {
			ctx := ss.Context()
			if v, has := user.From(ctx); has || ctx.Value(key{}) != nil || ctx.Value(intKey) != nil {
				t.Errorf("the callee has its caller's identity %q or values", v)
			}
			if md, _ := metadata.FromIncomingContext(ctx); len(md) > 0 {
				t.Errorf("the callee received %v, which its caller did not send", md)
			}
			if m, _ := grpc.Method(ctx); m != bidiName {
				t.Errorf("grpc.Method is %q", m)
			}
			return ss.Send(&pb.BidiStreamResponse{})
		},
	})
	if err := beginAndSend(outgoing(t, "x-a", "1"), kindsOfCall[0], srv.Conn()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{unaryName, serverName, bidiName} {
		if seen[name] != 1 {
			t.Errorf("the hooks decided %d times about %s, want once", seen[name], name)
		}
	}
}

// TestConnOfAnotherStack checks that hooks of the callee's stack run although a
// call of another stack is in the context.
func TestConnOfAnotherStack(t *testing.T) {
	t.Parallel()
	refuse := interceptor.MustNew(interceptor.FromFuncs("refuse", interceptor.Funcs{
		BeforeHandler: func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			return nil, interceptor.NewError(codes.PermissionDenied, "no")
		},
	}))
	_, inner := inProcess(t, refuse, &service{})
	outer, _ := inProcess(t, interceptor.MustNew(), &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		return nil, beginAndSend(ctx, kindsOfCall[0], inner.Conn())
	}})
	if _, err := outer.Unary(within(t), &pb.UnaryRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v, want the inner stack's PERMISSION_DENIED", err)
	}
}

// TestConnCopiesMessages lets both sides change their messages as soon as they
// may. The race detector finds what they share.
func TestConnCopiesMessages(t *testing.T) {
	t.Parallel()
	kept := make(chan proto.Message, 10)
	reply := &pb.UnaryResponse{NestedList: []*pb.Nested{{Text: "a"}}}
	client, _ := inProcess(t, interceptor.MustNew(), &service{
		unary: func(_ context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			in.Nested.Text = "handler's"
			kept <- in
			return reply, nil
		},
		bidiStream: func(ss bidiStreamServer) error {
			out := &pb.BidiStreamResponse{Text: "a"}
			for range 3 {
				if err := ss.Send(out); err != nil {
					return err
				}
				out.Text += "a"
			}
			return nil
		},
	})
	in := &pb.UnaryRequest{Nested: &pb.Nested{Text: "caller's"}}
	out, err := client.Unary(within(t), in)
	if err != nil {
		t.Fatal(err)
	}
	out.NestedList[0].Text = "changed"
	in.Nested.Secret = "changed"
	if got := (<-kept).(*pb.UnaryRequest); got == in || got.GetNested().GetText() != "handler's" || got.GetNested().GetSecret() != "" || in.Nested.Text != "caller's" {
		t.Errorf("request: the handler has %v, the caller %v", got, in)
	}
	if reply.NestedList[0].Text != "a" {
		t.Errorf("the caller changed the handler's reply: %v", reply)
	}
	stream, err := client.BidiStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "aa", "aaa"} {
		got, err := stream.Recv()
		if err != nil || got.GetText() != want {
			t.Fatalf("Recv %v %v, want %q", got, err, want)
		}
	}
	if _, err := stream.Recv(); err == nil {
		t.Error("more messages than were sent")
	}
}

// TestConnTakesTheRequestBack checks that a handler whose caller has gone does
// not read a request that the caller may be changing.
func TestConnTakesTheRequestBack(t *testing.T) {
	t.Parallel()
	began, gone, decoded := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	desc := &grpc.ServiceDesc{ServiceName: "test.Slow", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Call",
		Handler: func(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			close(began)
			<-gone
			err := dec(&pb.UnaryRequest{})
			decoded <- err
			return nil, err
		},
	}}}
	srv := grpcadapter.NewServer(quiet(t, interceptor.MustNew()))
	srv.RegisterService(desc, struct{}{})
	t.Cleanup(srv.GracefulStop)
	ctx, cancel := context.WithCancel(within(t))
	go func() {
		<-began
		cancel()
	}()
	in := &pb.UnaryRequest{Text: "a"}
	if err := srv.Conn().Invoke(ctx, "/test.Slow/Call", in, &pb.UnaryResponse{}); status.Code(err) != codes.Canceled {
		t.Errorf("Invoke returned %v", err)
	}
	close(gone)
	in.Text = "changed"
	if err := <-decoded; status.Code(err) != codes.Canceled {
		t.Errorf("decoding returned %v, want CANCELLED", err)
	}
}

// TestConnDynamicMessages checks that the sides may hold different Go types of
// one message.
func TestConnDynamicMessages(t *testing.T) {
	t.Parallel()
	_, srv := inProcess(t, interceptor.MustNew(), &service{})
	in := dynamicpb.NewMessage((&pb.UnaryRequest{}).ProtoReflect().Descriptor())
	in.Set(in.Descriptor().Fields().ByName("text"), protoreflect.ValueOfString("a"))
	out := dynamicpb.NewMessage((&pb.UnaryResponse{}).ProtoReflect().Descriptor())
	if err := srv.Conn().Invoke(within(t), unaryName, in, out); err != nil {
		t.Fatal(err)
	}
	if got := out.Get(out.Descriptor().Fields().ByName("text")).String(); got != "a" {
		t.Errorf("the reply is %q", got)
	}
}

// TestConnRefusesOtherMessages checks that what is no protobuf message is refused
// by name on either side.
func TestConnRefusesOtherMessages(t *testing.T) {
	t.Parallel()
	desc := &grpc.ServiceDesc{ServiceName: "test.Text", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Reply",
		Handler: func(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			return "text", dec(&pb.UnaryRequest{})
		},
	}, {
		MethodName: "Request",
		Handler: func(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			return &pb.UnaryResponse{}, dec(new(string))
		},
	}}}
	reported := make(chan error, 10)
	srv := grpcadapter.NewServer(interceptor.MustNew(interceptor.FromFuncs("see", interceptor.Funcs{
		OnError: func(_ context.Context, _ *interceptor.Call, err error) error {
			reported <- err
			return err
		},
	})))
	srv.RegisterService(desc, struct{}{})
	conn := srv.Conn()
	if err := conn.Invoke(within(t), "/test.Text/Reply", "text", &pb.UnaryResponse{}); status.Code(err) != codes.Internal {
		t.Errorf("request: %v, want INTERNAL", err)
	}
	for _, method := range []string{"/test.Text/Reply", "/test.Text/Request"} {
		if err := conn.Invoke(within(t), method, &pb.UnaryRequest{}, &pb.UnaryResponse{}); status.Code(err) != codes.Internal {
			t.Errorf("%s: %v, want INTERNAL", method, err)
		}
		if err := <-reported; status.Code(err) != codes.Internal {
			t.Errorf("%s: OnError saw %v, want INTERNAL", method, err)
		}
	}
	if len(reported) > 0 {
		t.Errorf("OnError saw more: %v", <-reported)
	}
}

// TestConnCounts checks that hooks learn the size of what a call in process
// carries.
func TestConnCounts(t *testing.T) {
	t.Parallel()
	counts := make(chan [2]interceptor.Count, 1)
	_, srv := inProcess(t, interceptor.MustNew(interceptor.FromFuncs("count", interceptor.Funcs{
		OnReceive:     func(context.Context, *interceptor.Call, any) error { return nil },
		OnSend:        func(context.Context, *interceptor.Call, any) error { return nil },
		AfterResponse: func(_ context.Context, c *interceptor.Call) { counts <- [2]interceptor.Count{c.Received(), c.Sent()} },
	})), &service{})
	for i, k := range kindsOfCall {
		k.whole(within(t), newNotes(), srv.Conn(), "abc")
		got := <-counts
		request := int64(proto.Size(k.request("abc")))
		var want [2]interceptor.Count
		want[0] = interceptor.Count{Messages: 1, Bytes: request}
		switch i {
		case 0:
			want[1] = interceptor.Count{Messages: 1, Bytes: int64(proto.Size(&pb.UnaryResponse{Text: "abc"}))}
		case 1:
			want[1] = interceptor.Count{Messages: 2, Bytes: int64(proto.Size(&pb.ServerStreamResponse{Text: "abc"}) + proto.Size(&pb.ServerStreamResponse{Text: "abc", Index: 1}))}
		case 2:
			want[1] = interceptor.Count{Messages: 1, Bytes: int64(proto.Size(&pb.ClientStreamResponse{Text: "abc", Count: 1}))}
		case 3:
			want[1] = interceptor.Count{Messages: 1, Bytes: int64(proto.Size(&pb.BidiStreamResponse{Text: "abc"}))}
		}
		if got != want {
			t.Errorf("%s: received and sent %v, want %v", k.name, got, want)
		}
	}
}

// TestConnProblems checks that every call is refused while the server is not
// configured correctly, naming what to do.
func TestConnProblems(t *testing.T) {
	t.Parallel()
	hidden := grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		return h(ctx, req)
	})
	ran := false
	impl := &service{}
	everyMethod(impl, func(context.Context, func(string) error) error { ran = true; return nil })
	_, srv := inProcess(t, interceptor.MustNew(), impl, hidden)
	for _, k := range kindsOfCall {
		var finished error
		n := newNotes()
		k.whole(within(t), n, srv.Conn(), "a", grpc.OnFinish(func(err error) { finished = err }))
		if got := n.String(); status.Code(finished) != codes.Internal || !strings.Contains(got, "WithInterceptors") {
			t.Errorf("%s: %v\n%s", k.name, finished, got)
		}
	}
	if ran {
		t.Error("a handler ran")
	}
}
