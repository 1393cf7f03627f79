package interceptortest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

type (
	ctxT  = context.Context
	callT = interceptor.Call
	methT = interceptor.Method
)

func TestNewCallFacts(t *testing.T) {
	t.Parallel()
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}
	route := interceptortest.NewMethod("GET /files/{name}")
	call, ctx := interceptortest.NewCall(
		interceptortest.WithHTTP("GET", "/files/a"),
		interceptortest.WithMethod(route, "/files/{name}"),
		interceptortest.WithAuthority("shop.example"),
		interceptortest.WithHeader("x-tenant", "acme", "other"),
		interceptortest.WithPeer(interceptor.Peer{Addr: addr, TLS: &tls.ConnectionState{}}),
	)
	got := []any{call.Transport(), call.Protocol(), call.HTTPMethod(), call.Path(), call.Authority(), call.Scheme(), call.Route(), call.Method(), call.Peer().Addr, call.RemoteAddr()}
	want := []any{interceptor.HTTP, "1.1", "GET", "/files/a", "shop.example", "https", "/files/{name}", route, net.Addr(addr), "192.0.2.1:4711"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("facts\n got %v\nwant %v", got, want)
	}
	if v := call.RequestHeader().Values("X-Tenant"); !slices.Equal(v, []string{"acme", "other"}) {
		t.Errorf("X-Tenant is %q", v)
	}
	call.RequestHeader().Del("X-TENANT")
	if v := call.RequestHeader().Get("X-Tenant"); v != "" {
		t.Errorf("a deleted header is %q", v)
	}
	if found, ok := interceptor.CallFrom(ctx); !ok || found != call {
		t.Error("the context does not carry the call")
	}
}

func TestNewCallDefaults(t *testing.T) {
	t.Parallel()
	call, _ := interceptortest.NewCall()
	if call.Transport() != interceptor.GRPC || call.Protocol() != "2" || call.Scheme() != "http" || call.HTTPMethod() != "" || call.Method() != nil {
		t.Errorf("got %v %q %q %q %v", call.Transport(), call.Protocol(), call.Scheme(), call.HTTPMethod(), call.Method())
	}
	rpc := interceptortest.NewMethod(pb.ConformanceService_Unary_FullMethodName)
	call, _ = interceptortest.NewCall(interceptortest.WithMethod(rpc, ""))
	if call.Method() != rpc || call.Path() != rpc.Name() {
		t.Errorf("method %v, path %q", call.Method(), call.Path())
	}
}

// One phase of a hook can be called by itself.
func TestNewCallForOnePhase(t *testing.T) {
	t.Parallel()
	key := interceptor.NewKey[string]("tenant")
	hook := interceptor.FromFuncs("tenant", interceptor.Funcs{
		BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			key.Set(call, call.RequestHeader().Get("X-Tenant"))
			return ctx, call.ResponseHeader().Set("X-Seen", "1")
		},
	})
	call, ctx := interceptortest.NewCall(interceptortest.WithHeader("X-Tenant", "acme"))
	if _, err := hook.BeforeRequest(ctx, call); err != nil {
		t.Fatal(err)
	}
	if v, _ := key.Get(call); v != "acme" {
		t.Errorf("tenant is %q", v)
	}
	if v := call.ResponseHeader().Values("x-seen"); !slices.Equal(v, []string{"1"}) {
		t.Errorf("X-Seen is %q", v)
	}
}

func TestNewCallPanicsWithoutAStack(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("NewCall accepted a nil hook")
		}
	}()
	interceptortest.NewCall(interceptortest.WithHooks(nil))
}

func TestNewMethod(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		kind       interceptor.Kind
		descriptor bool
	}{
		{pb.ConformanceService_Unary_FullMethodName, interceptor.Unary, true},
		{pb.ConformanceService_ClientStream_FullMethodName, interceptor.ClientStream, true},
		{pb.ConformanceService_ServerStream_FullMethodName, interceptor.ServerStream, true},
		{pb.ConformanceService_BidiStream_FullMethodName, interceptor.BidiStream, true},
		{"/not.linked.In/Method", interceptor.Unary, false},
		{"/crosscut.conformance.v1.ConformanceService/Nothing", interceptor.Unary, false},
		{"/crosscut.conformance.v1/UnaryRequest", interceptor.Unary, false},
		{"GET /files/{name}", interceptor.Unary, false},
		{"/files/", interceptor.Unary, false},
		{"*", interceptor.Unary, false},
	}
	for _, tt := range tests {
		m := interceptortest.NewMethod(tt.name)
		if m.Name() != tt.name || m.Kind() != tt.kind || (m.Descriptor() != nil) != tt.descriptor {
			t.Errorf("NewMethod(%q) is %q, %v, descriptor %v", tt.name, m.Name(), m.Kind(), m.Descriptor())
		}
	}
}

// phases is a hook that writes down its phases.
func phases(name string, trace *[]string, edit func(*interceptor.Funcs)) interceptor.Hook {
	note := func(phase string) { *trace = append(*trace, phase+name) }
	f := interceptor.Funcs{
		BeforeRequest: func(ctx ctxT, _ *callT) (ctxT, error) { note("BR"); return ctx, nil },
		BeforeHandler: func(ctx ctxT, _ *callT, _ *methT) (ctxT, error) { note("BH"); return ctx, nil },
		OnReceive:     func(ctxT, *callT, any) error { note("RX"); return nil },
		WrapHandler: func(next interceptor.Handler) interceptor.Handler {
			return func(ctx ctxT, call *callT) error { note("WH"); return next(ctx, call) }
		},
		OnSend:         func(ctxT, *callT, any) error { note("TX"); return nil },
		OnError:        func(_ ctxT, _ *callT, err error) error { note("OE"); return err },
		BeforeResponse: func(_ ctxT, call *callT) error { note("RS"); return call.ResponseHeader().Add("X-Trail", name) },
		AfterResponse:  func(ctxT, *callT) { note("AR") },
	}
	if edit != nil {
		edit(&f)
	}
	return interceptor.FromFuncs(name, f)
}

var errTest = interceptor.NewError(codes.NotFound, "nothing there")

func TestRunPhases(t *testing.T) {
	t.Parallel()
	replies := func(f *interceptor.Funcs) {
		f.OnError = func(_ ctxT, call *callT, _ error) error { return call.Reply(&pb.UnaryResponse{Text: "hook"}) }
	}
	tests := []struct {
		name    string
		opts    []interceptortest.CallOption
		handler func(ctxT) (any, error)
		edit    func(*interceptor.Funcs)
		want    []string
		code    codes.Code
		status  int
		reached bool

		reported bool
	}{
		{name: "success", want: []string{"BR1", "BR2", "BH1", "BH2", "RX1", "RX2", "WH1", "WH2", "TX2", "TX1", "RS2", "RS1", "AR2", "AR1"}, reached: true},
		{name: "failure", handler: func(ctxT) (any, error) { return nil, errTest }, code: codes.NotFound, reached: true,
			want: []string{"BR1", "BR2", "BH1", "BH2", "RX1", "RX2", "WH1", "WH2", "OE2", "OE1", "RS2", "RS1", "AR2", "AR1"}},
		{name: "panic", handler: func(ctxT) (any, error) { panic("oops") }, code: codes.Internal, reached: true, reported: true,
			want: []string{"BR1", "BR2", "BH1", "BH2", "RX1", "RX2", "WH1", "WH2", "OE2", "OE1", "RS2", "RS1", "AR2", "AR1"}},
		{name: "rejection", edit: func(f *interceptor.Funcs) {
			f.BeforeRequest = func(ctxT, *callT) (ctxT, error) { return nil, errTest }
		}, code: codes.NotFound, want: []string{"BR1", "OE1", "RS1", "AR1"}},
		{name: "recovery", edit: replies, handler: func(ctxT) (any, error) { return nil, errTest }, reached: true,
			want: []string{"BR1", "BR2", "BH1", "BH2", "RX1", "RX2", "WH1", "WH2", "TX2", "TX1", "RS2", "RS1", "AR2", "AR1"}},
		{name: "plain route", opts: []interceptortest.CallOption{interceptortest.WithHTTP("GET", "/x"), interceptortest.WithMethod(interceptortest.NewMethod("GET /x"), "/x")},
			want: []string{"BR1", "BR2", "BH1", "BH2", "WH1", "WH2", "RS2", "RS1", "AR2", "AR1"}, status: 200, reached: true},
		{name: "stream", opts: []interceptortest.CallOption{interceptortest.WithMethod(interceptortest.NewMethod(pb.ConformanceService_BidiStream_FullMethodName), "")},
			want: []string{"BR1", "BR2", "BH1", "BH2", "WH1", "WH2", "RX1", "RX2", "TX2", "TX1", "RS2", "RS1", "AR2", "AR1"}, reached: true},
		{name: "HTTP error", opts: []interceptortest.CallOption{interceptortest.WithHTTP("GET", "/v1/x")},
			handler: func(ctxT) (any, error) { return nil, errTest }, code: codes.NotFound, status: 404, reached: true,
			want: []string{"BR1", "BR2", "BH1", "BH2", "RX1", "RX2", "WH1", "WH2", "OE2", "OE1", "RS2", "RS1", "AR2", "AR1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var trace []string
			hooks := interceptortest.WithHooks(phases("1", &trace, nil), phases("2", &trace, tt.edit))
			call, _ := interceptortest.NewCall(append(tt.opts, hooks)...)
			got := interceptortest.RunPhases(call, tt.handler)
			if !slices.Equal(trace, tt.want) {
				t.Errorf("phases\n got %q\nwant %q", trace, tt.want)
			}
			if code := interceptor.StatusOf(got.Err).Code(); code != tt.code || call.Code() != tt.code || got.Reached != tt.reached || got.HTTPStatus != tt.status {
				t.Errorf("code %v (call %v), reached %v, HTTP status %d; want %v, %v, %d", code, call.Code(), got.Reached, got.HTTPStatus, tt.code, tt.reached, tt.status)
			}
			if reported := len(got.Reports) > 0; reported != tt.reported {
				t.Errorf("reports %v", got.Reports)
			}
			if tt.edit == nil && !slices.Equal(got.Header.Values("X-Trail"), []string{"2", "1"}) {
				t.Errorf("headers %v", got.Header)
			}
		})
	}
}

func TestRunPhasesReplies(t *testing.T) {
	t.Parallel()
	hook := interceptor.FromFuncs("redirects", interceptor.Funcs{
		BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			return ctx, call.ReplyHTTP(200, "text/plain", []byte("hook"))
		},
	})
	call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook), interceptortest.WithHTTP("GET", "/"), interceptortest.WithMethod(interceptortest.NewMethod("GET /"), "/"))
	if got := interceptortest.RunPhases(call, nil); got.Err != nil || got.Reached || got.HTTPStatus != 200 || string(got.Body) != "hook" {
		t.Errorf("%+v", got)
	}
	sees := ""
	hook = interceptor.FromFuncs("reads", interceptor.Funcs{
		OnReceive: func(_ ctxT, _ *callT, msg any) error { sees = msg.(*pb.UnaryRequest).GetText(); return nil },
	})
	call, _ = interceptortest.NewCall(interceptortest.WithHooks(hook), interceptortest.WithMessage(&pb.UnaryRequest{Text: "in"}))
	got := interceptortest.RunPhases(call, func(ctxT) (any, error) { return &pb.UnaryResponse{Text: "out"}, nil })
	if out, ok := got.Response.(*pb.UnaryResponse); !ok || out.GetText() != "out" || sees != "in" || call.Sent().Messages != 1 || call.Received().Messages != 1 {
		t.Errorf("OnReceive saw %q, the response is %v", sees, got.Response)
	}
}

func TestRunPhasesHeedsTheContext(t *testing.T) {
	t.Parallel()
	parent, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	call, _ := interceptortest.NewCall(interceptortest.WithContext(parent))
	got := interceptortest.RunPhases(call, func(ctx ctxT) (any, error) { return nil, ctx.Err() })
	if !errors.Is(got.Err, context.DeadlineExceeded) || call.Code() != codes.DeadlineExceeded {
		t.Errorf("got %v", got.Err)
	}
}

func TestRunPhasesTwicePanics(t *testing.T) {
	t.Parallel()
	call, _ := interceptortest.NewCall()
	interceptortest.RunPhases(call, nil)
	for _, c := range []*interceptor.Call{call, new(interceptor.Call)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("RunPhases accepted a call that NewCall did not make, or that has ended")
				}
			}()
			interceptortest.RunPhases(c, nil)
		}()
	}
}

// A zero Call and a nil one answer every question and panic nowhere: unit tests
// of hooks may use them.
func TestZeroCall(t *testing.T) {
	t.Parallel()
	for _, call := range []*interceptor.Call{nil, new(interceptor.Call)} {
		v := reflect.ValueOf(call)
		for i := range v.NumMethod() {
			noPanic(t, v.Type().Method(i).Name, v.Method(i))
		}
		for name, header := range map[string]any{"RequestHeader": call.RequestHeader(), "ResponseHeader": call.ResponseHeader(), "ResponseTrailer": call.ResponseTrailer()} {
			h := reflect.ValueOf(header)
			for i := range h.NumMethod() {
				noPanic(t, name+"."+h.Type().Method(i).Name, h.Method(i))
			}
		}
		key := interceptor.NewKey[int]("key")
		key.Set(call, 1)
		if _, ok := key.Get(call); ok != (call != nil) {
			t.Errorf("the key is set: %v", ok)
		}
	}
	var m *interceptor.Method
	if m.Name() != "" || m.Descriptor() != nil || m.Kind() != interceptor.Unary {
		t.Error("a nil Method is not like one without a name")
	}
}

// noPanic calls f with usable arguments.
func noPanic(t *testing.T, name string, f reflect.Value) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("%s panics: %v", name, v)
		}
	}()
	args := make([]reflect.Value, f.Type().NumIn())
	for i := range args {
		switch in := f.Type().In(i); in.Kind() {
		case reflect.String:
			args[i] = reflect.ValueOf("x")
		case reflect.Func:
			args[i] = reflect.MakeFunc(in, func([]reflect.Value) []reflect.Value { return nil })
		default:
			args[i] = reflect.Zero(in)
		}
	}
	f.Call(args)
}
