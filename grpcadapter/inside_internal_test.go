package grpcadapter

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"github.com/crosscut-go/crosscut/interceptor"
)

// TestInspect pins the private fields of grpc-go that inspect reads. If one of
// them goes, the server refuses to start instead of missing an interceptor.
func TestInspect(t *testing.T) {
	t.Parallel()
	unary := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		return h(ctx, req)
	}
	stream := func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
		return h(srv, ss)
	}
	cases := []struct {
		name string
		opt  grpc.ServerOption
		want inspected
	}{
		{"nothing", grpc.EmptyServerOption{}, inspected{}},
		{"limit", grpc.MaxRecvMsgSize(1), inspected{}},
		{"unary", grpc.UnaryInterceptor(unary), inspected{unary: true}},
		{"chained unary", grpc.ChainUnaryInterceptor(unary), inspected{unary: true}},
		{"stream", grpc.StreamInterceptor(stream), inspected{stream: true, outermost: true}},
		{"chained stream", grpc.ChainStreamInterceptor(stream), inspected{stream: true}},
		{"unknown", grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return nil }), inspected{unknown: true}},
		{"codec", grpc.ForceServerCodecV2(encoding.GetCodecV2("proto")), inspected{codec: true}},
	}
	for _, c := range cases {
		if got := inspect([]grpc.ServerOption{c.opt}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if set, err := isSet(reflect.ValueOf(struct{}{}), "unaryInt", nil); !set || err == nil {
		t.Errorf("a field that is gone reads %v, %v; want set, and an error", set, err)
	}
}

// TestServerIn pins what is read from the context of a call. Without it a user's
// unknown-service handler and an unknown method could not be told apart.
func TestServerIn(t *testing.T) {
	t.Parallel()
	if s := serverIn(t.Context()); s.hasService("x") || s.hasMethod("x", "y") || s.unknownIsOurs() {
		t.Error("a context without a server has one")
	}
	var nobody context.Context
	if s := serverIn(nobody); s.v.IsValid() {
		t.Error("a nil context has a server")
	}
	for _, field := range []struct{ name, parent string }{{"services", ""}, {"unknownStreamDesc", "opts"}} {
		v := reflect.TypeFor[grpc.Server]()
		if field.parent != "" {
			parent, ok := v.FieldByName(field.parent)
			if !ok {
				t.Fatalf("grpc.Server has no field %s any more", field.parent)
			}
			v = parent.Type
		}
		if _, ok := v.FieldByName(field.name); !ok {
			t.Errorf("%s has no field %s any more", v, field.name)
		}
	}
}

// TestHiddenInterceptors checks that calls in process are refused beside
// interceptors that they would not run.
func TestHiddenInterceptors(t *testing.T) {
	t.Parallel()
	unary := grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		return h(ctx, req)
	})
	stack := interceptor.MustNew()
	cases := []struct {
		name   string
		opts   []grpc.ServerOption
		refuse bool
	}{
		{"none", nil, false},
		{"declared", []grpc.ServerOption{WithInterceptors(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return nil, nil }, nil)}, false},
		{"hidden", []grpc.ServerOption{unary}, true},
		{"wire only", []grpc.ServerOption{unary, WireOnlyInterceptors()}, false},
	}
	for _, c := range cases {
		err := NewServer(stack, c.opts...).connProblem()
		if (err != nil) != c.refuse || err != nil && !strings.Contains(err.Error(), "WithInterceptors") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestLinkedContext checks that values come from the hooks and the lifetime from
// the dispatch, its cause included.
func TestLinkedContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	dispatch, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "dispatch"))
	hooks := context.WithValue(t.Context(), key{}, "hook")
	ctx := &linkedContext{Context: dispatch, hooks: hooks, rpc: &rpc{core: &core{}}}
	if v := ctx.Value(key{}); v != "hook" {
		t.Errorf("the hook's value is hidden by %v", v)
	}
	child, release := context.WithCancel(ctx)
	defer release()
	cancel(context.DeadlineExceeded)
	<-child.Done()
	if context.Cause(child) != context.DeadlineExceeded { //nolint:errorlint // identity is what is tested
		t.Errorf("the cause of the dispatch is lost: %v", context.Cause(child))
	}
}
