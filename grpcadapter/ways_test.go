package grpcadapter_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// ways are the ways to put a stack around the conformance service, alone and
// together. The stack must run once in each.
var ways = []struct {
	name    string
	decoded bool // unary requests are decoded before any hook runs
	make    func(*interceptor.Stack, pb.ConformanceServiceServer) server
}{
	{"NewServer", false, func(s *interceptor.Stack, impl pb.ConformanceServiceServer) server {
		srv := grpcadapter.NewServer(s)
		pb.RegisterConformanceServiceServer(srv, impl)
		return srv
	}},
	{"Guard", false, func(s *interceptor.Stack, impl pb.ConformanceServiceServer) server {
		srv := grpc.NewServer()
		pb.RegisterConformanceServiceServer(grpcadapter.Guard(s, srv), impl)
		return srv
	}},
	{"ServerOptions", true, func(s *interceptor.Stack, impl pb.ConformanceServiceServer) server {
		srv := grpc.NewServer(grpcadapter.ServerOptions(s)...)
		pb.RegisterConformanceServiceServer(srv, impl)
		return srv
	}},
	{"Guard and ServerOptions", false, func(s *interceptor.Stack, impl pb.ConformanceServiceServer) server {
		srv := grpc.NewServer(grpcadapter.ServerOptions(s)...)
		pb.RegisterConformanceServiceServer(grpcadapter.Guard(s, srv), impl)
		return srv
	}},
	{"Guard on Server", false, func(s *interceptor.Stack, impl pb.ConformanceServiceServer) server {
		srv := grpcadapter.NewServer(s)
		pb.RegisterConformanceServiceServer(grpcadapter.Guard(s, srv), impl)
		return srv
	}},
	{"ServerOptions twice on Server", false, func(s *interceptor.Stack, impl pb.ConformanceServiceServer) server {
		srv := grpcadapter.NewServer(s, append(grpcadapter.ServerOptions(s), grpcadapter.ServerOptions(s)[:2]...)...)
		pb.RegisterConformanceServiceServer(srv, impl)
		return srv
	}},
	{"with interceptors of the user", false, func(s *interceptor.Stack, impl pb.ConformanceServiceServer) server {
		u, st := passOn()
		srv := grpcadapter.NewServer(s, grpc.UnaryInterceptor(u), grpc.ChainStreamInterceptor(st), grpcadapter.WithInterceptors(u, st))
		pb.RegisterConformanceServiceServer(srv, impl)
		return srv
	}},
}

func passOn() (grpc.UnaryServerInterceptor, grpc.StreamServerInterceptor) {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
			return h(ctx, req)
		},
		func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
			return h(srv, ss)
		}
}

// TestStackRunsOnce checks every way, alone and together with others, on every
// kind of method.
func TestStackRunsOnce(t *testing.T) {
	t.Parallel()
	for _, way := range ways {
		for _, kind := range kinds {
			t.Run(way.name+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				conn := serve(t, way.make(threeProbes(t, tr, nil), &service{}))
				got := kind.call(within(t), pb.NewConformanceServiceClient(conn))
				call := tr.end(t)
				if got.code != codes.OK || call.Method().Name() != kind.full || call.Method().Descriptor() == nil {
					t.Errorf("client got %+v, method %q", got, call.Method().Name())
				}
				if s := tr.String(); strings.Count(s, "BR") != 1 || strings.Count(s, "BH123") != 1 || !strings.HasSuffix(s, "AR321") {
					t.Errorf("phases: %s", s)
				}
			})
		}
	}
}

// TestRejectionHolds rejects in BeforeHandler, in every way: no handler runs.
func TestRejectionHolds(t *testing.T) {
	t.Parallel()
	for _, way := range ways {
		for _, kind := range kinds {
			t.Run(way.name+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				stack := threeProbes(t, tr, func(p [3]*probe) {
					p[2].handler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
						return nil, interceptor.NewError(codes.PermissionDenied, "no")
					}
				})
				ran := false
				impl := everyKind(func(context.Context) error { ran = true; return nil })
				got := kind.call(within(t), pb.NewConformanceServiceClient(serve(t, way.make(stack, impl))))
				tr.end(t)
				if got.code != codes.PermissionDenied || ran {
					t.Errorf("client got %v, handler ran: %v", got.code, ran)
				}
				wantTrace(t, tr, "BR123 BH123 OE321 RS321 AR321")
			})
		}
	}
}

// TestUnknownMethod compares with a bare server: same code and text, and no
// BeforeHandler, even behind stream interceptors that refuse everybody.
func TestUnknownMethod(t *testing.T) {
	t.Parallel()
	bare := grpc.NewServer()
	pb.RegisterConformanceServiceServer(bare, &service{})
	bareConn := serve(t, bare)
	refuse := func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
		return status.Error(codes.Unauthenticated, "the user's interceptor refuses everybody")
	}
	servers := map[string]func(*interceptor.Stack) server{
		"NewServer": func(s *interceptor.Stack) server {
			return grpcadapter.NewServer(s, grpcadapter.WithInterceptors(nil, refuse))
		},
		"ServerOptions": func(s *interceptor.Stack) server {
			return grpc.NewServer(append(grpcadapter.ServerOptions(s), grpc.ChainStreamInterceptor(refuse))...)
		},
	}
	for name, newServer := range servers {
		for _, path := range []string{"/crosscut.conformance.v1.ConformanceService/Nope", "/no.Such/Thing", "/a/b/c"} {
			t.Run(name+path, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				srv := newServer(threeProbes(t, tr, nil))
				pb.RegisterConformanceServiceServer(srv, &service{})
				want := status.Convert(bareConn.Invoke(within(t), path, &emptypb.Empty{}, &emptypb.Empty{}))
				got := status.Convert(serve(t, srv).Invoke(within(t), path, &emptypb.Empty{}, &emptypb.Empty{}))
				call := tr.end(t)
				if got.Code() != want.Code() || got.Message() != want.Message() || want.Code() != codes.Unimplemented {
					t.Errorf("client got %v %q, a bare server says %v %q", got.Code(), got.Message(), want.Code(), want.Message())
				}
				wantTrace(t, tr, "BR123 OE321 RS321 AR321")
				if call.Code() != codes.Unimplemented || call.Method() != nil || call.Path() != path {
					t.Errorf("AfterResponse saw %v, method %v, path %q", call.Code(), call.Method(), call.Path())
				}
			})
		}
	}
}

// TestUnknownServiceHandlerOfUser checks that the user's own handler is decided
// as the method grpc:*, whatever name the client sent.
func TestUnknownServiceHandlerOfUser(t *testing.T) {
	t.Parallel()
	servers := map[string]func(*interceptor.Stack, grpc.ServerOption) server{
		"NewServer": func(s *interceptor.Stack, o grpc.ServerOption) server { return grpcadapter.NewServer(s, o) },
		"ServerOptions": func(s *interceptor.Stack, o grpc.ServerOption) server {
			return grpc.NewServer(append(grpcadapter.ServerOptions(s), o)...)
		},
	}
	for name, newServer := range servers {
		for _, deny := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "/allowed", true: "/denied"}[deny], func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				ran := false
				stack := threeProbes(t, tr, func(p [3]*probe) {
					p[2].handler = func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
						if m.Name() != "grpc:*" || m.Descriptor() != nil {
							t.Errorf("method %q with descriptor %v, want grpc:* without", m.Name(), m.Descriptor())
						}
						if deny {
							return nil, interceptor.NewError(codes.PermissionDenied, "no")
						}
						return ctx, nil
					}
				})
				proxy := grpc.UnknownServiceHandler(func(_ any, ss grpc.ServerStream) error {
					ran = true
					m := &emptypb.Empty{}
					if err := ss.RecvMsg(m); err != nil {
						return err
					}
					return ss.SendMsg(m)
				})
				err := serve(t, newServer(stack, proxy)).Invoke(within(t), unaryName, &emptypb.Empty{}, &emptypb.Empty{})
				tr.end(t)
				if deny && (status.Code(err) != codes.PermissionDenied || ran) || !deny && (err != nil || !ran) {
					t.Errorf("client got %v, the handler ran: %v", err, ran)
				}
				if !deny {
					wantTrace(t, tr, "BR123 BH123 RX123 TX321 RS321 AR321")
				}
			})
		}
	}
}

// TestTwoStacks puts one stack around another: two calls, all hooks of both.
func TestTwoStacks(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			outer, inner := newTrace(), newTrace()
			srv := grpcadapter.NewServer(threeProbes(t, outer, nil))
			pb.RegisterConformanceServiceServer(grpcadapter.Guard(threeProbes(t, inner, nil), srv), &service{})
			got := kind.call(within(t), pb.NewConformanceServiceClient(serve(t, srv)))
			a, b := outer.end(t), inner.end(t)
			if got.code != codes.OK || a == b {
				t.Errorf("client got %+v; one call: %v", got, a == b)
			}
			for _, tr := range []*trace{outer, inner} {
				if s := tr.String(); !strings.HasPrefix(s, "BR123 BH123 RX123") || !strings.HasSuffix(s, "AR321") {
					t.Errorf("phases: %s", s)
				}
			}
		})
	}
}

// TestInnerStackRejects checks that the outer stack sees the rejection of an
// inner one as a failure that can still be replaced.
func TestInnerStackRejects(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			outer, inner := newTrace(), newTrace()
			srv := grpcadapter.NewServer(threeProbes(t, outer, func(p [3]*probe) {
				p[0].onError = func(context.Context, *interceptor.Call, error) error {
					return interceptor.NewError(codes.NotFound, "replaced")
				}
			}))
			reject := threeProbes(t, inner, func(p [3]*probe) {
				p[0].handler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
					return nil, interceptor.NewError(codes.PermissionDenied, "no")
				}
			})
			pb.RegisterConformanceServiceServer(grpcadapter.Guard(reject, srv), &service{})
			got := kind.call(within(t), pb.NewConformanceServiceClient(serve(t, srv)))
			if got.code != codes.NotFound || outer.end(t).Code() != codes.NotFound || inner.end(t).Code() != codes.PermissionDenied {
				t.Errorf("client got %v", got.code)
			}
			wantTrace(t, outer, "BR123 BH123 OE321 RS321 AR321")
		})
	}
}

// TestDispatchAgainIsAnotherCall dispatches from within a handler, with its own
// context, through a connection that hides nothing: a call in the context is
// never enough.
func TestDispatchAgainIsAnotherCall(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := threeProbes(t, tr, nil)
	local := &captured{}
	var again bool
	impl := &service{}
	impl.unary = func(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		if again {
			return &pb.UnaryResponse{Text: "inner"}, nil
		}
		again = true
		out, err := local.desc.Methods[0].Handler(local.impl, ctx, func(any) error { return nil }, nil)
		if err != nil {
			return nil, err
		}
		return out.(*pb.UnaryResponse), nil
	}
	pb.RegisterConformanceServiceServer(grpcadapter.Guard(stack, local), impl)
	srv := grpc.NewServer(grpcadapter.ServerOptions(stack)...)
	srv.RegisterService(local.desc, impl)
	out, err := pb.NewConformanceServiceClient(serve(t, srv)).Unary(within(t), &pb.UnaryRequest{})
	if err != nil || out.GetText() != "inner" {
		t.Fatalf("client got %v, %v", out, err)
	}
	if a, b := tr.end(t), tr.end(t); a == b {
		t.Error("one call ended twice")
	}
	if s := tr.String(); strings.Count(s, "BH123") != 2 {
		t.Errorf("phases: %s; BeforeHandler must run for both", s)
	}
}

// captured keeps what is registered on it.
type captured struct {
	desc *grpc.ServiceDesc
	impl any
}

func (c *captured) RegisterService(desc *grpc.ServiceDesc, impl any) { c.desc, c.impl = desc, impl }

// TestOutermostStreamInterceptor checks that a stream interceptor outside of the
// stack keeps the server from starting, naming what to use.
func TestOutermostStreamInterceptor(t *testing.T) {
	t.Parallel()
	_, st := passOn()
	tr := newTrace()
	srv := grpcadapter.NewServer(threeProbes(t, tr, nil), grpc.StreamInterceptor(st))
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	err = srv.Serve(lis)
	if err == nil || !strings.Contains(err.Error(), "WithInterceptors") || !errors.Is(err, srv.Check()) {
		t.Errorf("Serve: %v", err)
	}
	if _, err := lis.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is still open: %v", err)
	}
}

// checker refuses methods at start-up.
type checker struct {
	interceptor.Base
	refuse string
}

func (c checker) CheckMethod(m *interceptor.Method) error {
	if m.Name() == c.refuse {
		return errors.New("not this one")
	}
	return nil
}

// TestCheck checks that a refused method keeps a Server from starting, and makes
// guarded and mounted calls INTERNAL.
func TestCheck(t *testing.T) {
	t.Parallel()
	stack := quiet(t, interceptor.MustNew(interceptor.As("checker", checker{refuse: bidiName})))
	srv := grpcadapter.NewServer(stack)
	if err := srv.Check(); err != nil {
		t.Errorf("Check of an empty server: %v", err)
	}
	pb.RegisterConformanceServiceServer(srv, &service{})
	if err := srv.Check(); err == nil || !strings.Contains(err.Error(), bidiName) || !strings.Contains(err.Error(), "checker") {
		t.Errorf("Check: %v; want it to name method and hook", err)
	}

	ran := false
	guarded := grpc.NewServer()
	pb.RegisterConformanceServiceServer(grpcadapter.Guard(stack, guarded), everyKind(func(context.Context) error { ran = true; return nil }))
	client := pb.NewConformanceServiceClient(serve(t, guarded))
	for _, kind := range kinds {
		if got := kind.call(within(t), client); got.code != codes.Internal || ran {
			t.Errorf("guarded %s: %v, handler ran: %v; want INTERNAL until it is mended", kind.name, got.code, ran)
		}
	}
	options := grpc.NewServer(grpcadapter.ServerOptions(stack)...)
	pb.RegisterConformanceServiceServer(options, &service{})
	client = pb.NewConformanceServiceClient(serve(t, options))
	if got := callUnary(within(t), client); got.code != codes.OK {
		t.Errorf("ServerOptions, another method: %+v", got)
	}
	if got := callBidiStream(within(t), client); got.code != codes.Internal {
		t.Errorf("ServerOptions, the refused method: %+v", got)
	}
}

// TestUsersInterceptorsRunInside checks that they run around the handler, within
// WrapHandler, in the order listed, and that their reply is the handler's.
func TestUsersInterceptorsRunInside(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			mark := func(name string) (grpc.UnaryServerInterceptor, grpc.StreamServerInterceptor) {
				return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
						tr.add(name)
						return h(ctx, req)
					}, func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
						tr.add(name)
						return h(srv, ss)
					}
			}
			u1, s1 := mark("with1")
			u2, s2 := mark("chained")
			u3, s3 := mark("with2")
			wrap := interceptor.FromFuncs("wrap", interceptor.Funcs{
				BeforeHandler: func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					tr.add("decided")
					return ctx, nil
				},
				WrapHandler: func(next interceptor.Handler) interceptor.Handler {
					return func(ctx context.Context, c *interceptor.Call) error {
						tr.add("wrapped")
						return next(ctx, c)
					}
				},
			})
			client := start(t, quiet(t, interceptor.MustNew(wrap)), everyKind(func(context.Context) error { tr.add("handler"); return nil }),
				grpcadapter.WithInterceptors(u1, s1), grpc.ChainUnaryInterceptor(u2), grpc.ChainStreamInterceptor(s2),
				grpcadapter.WithInterceptors(u3, s3), grpcadapter.WithInterceptors(nil, nil), grpcadapter.WireOnlyInterceptors())
			kind.call(within(t), client)
			wantTrace(t, tr, "decided wrapped with1 chained with2 handler")
		})
	}
}

// TestInterceptorsOfConnAreChained: over the connection in process there is no
// chain of grpc-go's, and the first that was given is the outermost all the same.
func TestInterceptorsOfConnAreChained(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			with := func(name string) grpc.ServerOption {
				return grpcadapter.WithInterceptors(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
					tr.add(name)
					return h(ctx, req)
				}, func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
					tr.add(name)
					return h(srv, ss)
				})
			}
			srv := grpcadapter.NewServer(quiet(t, interceptor.MustNew()), with("first"), with("second"), with("third"))
			pb.RegisterConformanceServiceServer(srv, everyKind(func(context.Context) error { tr.add("handler"); return nil }))
			kind.call(within(t), pb.NewConformanceServiceClient(srv.Conn()))
			wantTrace(t, tr, "first second third handler")
		})
	}
}

// TestReflectionAndHealth registers other people's services and compares what
// the server tells with a bare one.
func TestReflectionAndHealth(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := threeProbes(t, tr, nil)
	bare, srv := grpc.NewServer(), grpcadapter.NewServer(stack)
	guard := grpcadapter.Guard(stack, grpc.NewServer())
	lone := grpcadapter.Guard(stack, &captured{})
	for _, r := range []reflection.GRPCServer{bare, srv, guard, lone} {
		healthpb.RegisterHealthServer(r, health.NewServer())
		reflection.Register(r)
	}
	for name, got := range map[string]map[string]grpc.ServiceInfo{"Server": srv.GetServiceInfo(), "Guard": guard.GetServiceInfo(), "lone Guard": lone.GetServiceInfo()} {
		for service, want := range bare.GetServiceInfo() {
			if g := got[service]; len(g.Methods) != len(want.Methods) || g.Metadata != want.Metadata {
				t.Errorf("%s: %s has %+v, want %+v", name, service, g, want)
			}
		}
	}
	out, err := healthpb.NewHealthClient(serve(t, srv)).Check(within(t), &healthpb.HealthCheckRequest{})
	if err != nil || out.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", out, err)
	}
	if m := tr.end(t).Method(); m.Name() != "/grpc.health.v1.Health/Check" || m.Descriptor() == nil {
		t.Errorf("method %q", m.Name())
	}
	if n := len(srv.Methods()); n == 0 || srv.Methods()[0].Name() != "/grpc.health.v1.Health/Check" {
		t.Errorf("Methods: %v", srv.Methods())
	}
}

// TestGlobalDescriptionIsUntouched checks that registration copies.
func TestGlobalDescriptionIsUntouched(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	grpcadapter.NewServer(threeProbes(t, tr, nil)).RegisterService(&pb.ConformanceService_ServiceDesc, &service{})
	bare := grpc.NewServer()
	pb.RegisterConformanceServiceServer(bare, &service{})
	callUnary(within(t), pb.NewConformanceServiceClient(serve(t, bare)))
	if s := tr.String(); s != "" {
		t.Errorf("a hook ran on another server: %s", s)
	}
}

// TestHandWrittenHandler registers a method whose handler ignores its
// interceptor argument: message hooks still see the request before it runs, and
// a WrapHandler hook fails the call, since it did not run.
func TestHandWrittenHandler(t *testing.T) {
	t.Parallel()
	ran := false
	desc := &grpc.ServiceDesc{ServiceName: "hand.Written", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Do",
		Handler: func(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := &emptypb.Empty{}
			if err := dec(in); err != nil {
				return nil, err
			}
			ran = true
			return in, nil
		},
	}}}
	cases := []struct {
		name string
		hook interceptor.Hook
		code codes.Code
		runs bool
	}{
		{"no need", interceptor.FromFuncs("h", interceptor.Funcs{}), codes.OK, true},
		{"messages", interceptor.FromFuncs("h", interceptor.Funcs{
			OnReceive: func(context.Context, *interceptor.Call, any) error {
				return interceptor.NewError(codes.InvalidArgument, "no")
			},
		}), codes.InvalidArgument, false},
		{"wrapped", interceptor.FromFuncs("h", interceptor.Funcs{
			WrapHandler: func(next interceptor.Handler) interceptor.Handler { return next },
		}), codes.Internal, true},
	}
	for _, c := range cases { // not parallel: they share ran
		ran = false
		srv := grpcadapter.NewServer(quiet(t, interceptor.MustNew(c.hook)))
		srv.RegisterService(desc, nil)
		err := serve(t, srv).Invoke(within(t), "/hand.Written/Do", &emptypb.Empty{}, &emptypb.Empty{})
		if status.Code(err) != c.code || ran != c.runs {
			t.Errorf("%s: client got %v, handler ran: %v", c.name, err, ran)
		}
	}
}

// TestStreamErrorsAreUntouched checks that the end of a stream is io.EOF itself.
func TestStreamErrorsAreUntouched(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	var end error
	client := start(t, threeProbes(t, tr, nil), &service{bidiStream: func(ss bidiStreamServer) error {
		_, _ = ss.Recv() // the one message
		_, end = ss.Recv()
		return nil
	}})
	callBidiStream(within(t), client)
	tr.end(t)
	if end != io.EOF { //nolint:errorlint // identity is what is tested
		t.Errorf("Recv at the end returned %v, want io.EOF itself", end)
	}
}
