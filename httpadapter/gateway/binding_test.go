package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// described is a connection that serves the methods it is given and answers none.
type described struct {
	grpc.ClientConnInterface
	methods []*interceptor.Method
}

func (d described) Methods() []*interceptor.Method { return d.methods }

// methodsWith makes a service, of no package, with a method per rule.
func methodsWith(t *testing.T, service string, rules map[string]*annotations.HttpRule) []*interceptor.Method {
	t.Helper()
	sd := &descriptorpb.ServiceDescriptorProto{Name: &service}
	for name, rule := range rules {
		m := &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: proto.String(".google.protobuf.Empty"), OutputType: proto.String(".crosscut.conformance.v1.UnaryResponse"),
		}
		if rule != nil {
			m.Options = &descriptorpb.MethodOptions{}
			proto.SetExtension(m.Options, annotations.E_Http, rule)
		}
		sd.Method = append(sd.Method, m)
	}
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String(service + ".proto"), Syntax: proto.String("proto3"),
		Dependency: []string{emptypb.File_google_protobuf_empty_proto.Path(), pb.File_crosscut_conformance_v1_conformance_proto.Path()},
		Service:    []*descriptorpb.ServiceDescriptorProto{sd},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	var all []*interceptor.Method
	methods := fd.Services().Get(0).Methods()
	for i := range methods.Len() {
		all = append(all, ops.NewMethod("/"+service+"/"+string(methods.Get(i).Name()), methods.Get(i), uint8(interceptor.Unary)))
	}
	return all
}

func get(template string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: template}}
}

// resolvedBy sends a request to a gateway whose route for it is registered, and
// returns the method and route that BeforeHandler saw, and what was reported.
func resolvedBy(t *testing.T, methods []*interceptor.Method, verb, template, path string, opts ...gateway.Option) (name, route, reported string) {
	t.Helper()
	var reports reports
	stack := interceptor.MustNew(interceptor.FromFuncs("see", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			name, route = m.Name(), call.Route()
			return ctx, nil
		},
	})).ReportTo(reports.add)
	gw := gateway.New(stack, described{methods: methods}, opts...)
	if err := gw.Mux().HandlePath(verb, template, func(http.ResponseWriter, *http.Request, map[string]string) {}); err != nil {
		t.Fatal(err)
	}
	if err := gw.Check(); err != nil {
		t.Fatal(err)
	}
	gw.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), verb, path, nil))
	return name, route, reports.String()
}

// A route's RPC is found by what the gateway matched, whichever rule bound it.
func TestRoutesOfAnnotations(t *testing.T) {
	t.Parallel()
	methods := methodsWith(t, "Svc", map[string]*annotations.HttpRule{
		"Get": {
			Pattern: &annotations.HttpRule_Get{Get: "/v1/{name=shelves/*/books/*}"},
			AdditionalBindings: []*annotations.HttpRule{
				{Pattern: &annotations.HttpRule_Put{Put: "/v1/put"}},
				{Pattern: &annotations.HttpRule_Patch{Patch: "/v1/patch/{id}:verb"}},
				{Pattern: &annotations.HttpRule_Delete{Delete: "/v1/delete/{path=**}"}},
				{Pattern: &annotations.HttpRule_Custom{Custom: &annotations.CustomHttpPattern{Kind: "HEAD", Path: "/v1/head"}}},
			},
		},
		"Post": {Pattern: &annotations.HttpRule_Post{Post: "/v1/put"}},
		"None": nil,
	})
	tests := []struct{ verb, template, path, name string }{
		{"GET", "/v1/{name=shelves/*/books/*}", "/v1/shelves/1/books/2", "/Svc/Get"},
		{"PUT", "/v1/put", "/v1/put", "/Svc/Get"},
		{"PATCH", "/v1/patch/{id}:verb", "/v1/patch/7:verb", "/Svc/Get"},
		{"DELETE", "/v1/delete/{path=**}", "/v1/delete/a/b", "/Svc/Get"},
		{"HEAD", "/v1/head", "/v1/head", "/Svc/Get"},
		{"POST", "/v1/put", "/v1/put", "/Svc/Post"},
		{"POST", "/Svc/None", "/Svc/None", "/Svc/None"},
		{"GET", "/v1/put", "/v1/put", "GET /v1/put"},
		{"POST", "/Svc/Get", "/Svc/Get", "POST /Svc/Get"},
		{"GET", "/v2/{x}/{y=**}", "/v2/1/2/3", "GET /v2/{x}/{y=**}"},
	}
	for _, tt := range tests {
		name, route, reported := resolvedBy(t, methods, tt.verb, tt.template, tt.path)
		if name != tt.name || route != tt.template || reported != "" {
			t.Errorf("%s %s resolved to %s at %s (%s), want %s at %s", tt.verb, tt.path, name, route, reported, tt.name, tt.template)
		}
	}
}

// Two RPCs on one route: the gateway would run whichever was registered last,
// so neither runs until Bind says which it is.
func TestRouteOfTwoRPCs(t *testing.T) {
	t.Parallel()
	methods := append(methodsWith(t, "One", map[string]*annotations.HttpRule{"M": get("/v1/x/{id}")}),
		methodsWith(t, "Two", map[string]*annotations.HttpRule{"M": get("/v1/x/{id=*}")})...)
	name, _, reported := resolvedBy(t, methods, "GET", "/v1/x/{id}", "/v1/x/7")
	if name != "" || !strings.Contains(reported, "/One/M") || !strings.Contains(reported, "/Two/M") || !strings.Contains(reported, "gateway.Bind") {
		t.Errorf("resolved to %q, reported %q; want nothing, and both names with advice", name, reported)
	}
	name, route, reported := resolvedBy(t, methods, "GET", "/v1/x/{id}", "/v1/x/7", gateway.Bind("GET", "/v1/x/{id}", "/Two/M"))
	if name != "/Two/M" || route != "/v1/x/{id}" || reported != "" {
		t.Errorf("with Bind it resolved to %s at %s (%s)", name, route, reported)
	}
}

// An annotation that the gateway cannot match is told at start-up.
func TestCheckReportsBadTemplates(t *testing.T) {
	t.Parallel()
	gw := gateway.New(interceptor.MustNew(), described{methods: methodsWith(t, "Svc", map[string]*annotations.HttpRule{"M": get("/v1/{")})})
	if err := gw.Check(); err == nil || !strings.Contains(err.Error(), "/Svc/M") {
		t.Errorf("Check said %v", err)
	}
}

// Routes that may not be registered are not shown to hooks at start-up: a hook
// that refuses them must not keep the gateway from serving the others.
func TestUnboundMethodsAreNotChecked(t *testing.T) {
	t.Parallel()
	gw := gateway.New(interceptor.MustNew(checker{}), described{methods: methodsWith(t, "Svc", map[string]*annotations.HttpRule{"M": nil})})
	if err := gw.Check(); err != nil {
		t.Errorf("Check said %v", err)
	}
}

// A reply that the gateway writes itself honours response_body, as generated
// code does for what the RPC answers.
func TestReplyHonoursResponseBody(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		"text": `"hook"`, "nested": `{"text":"deep","secret":""}`, "nested_list": `[{"text":"listed","secret":""}]`, "no_such_field": `{"text":"hook",`,
	} {
		rule := get("/v1/x")
		rule.ResponseBody = field
		stack := interceptor.MustNew(interceptor.FromFuncs("recover", interceptor.Funcs{
			OnError: func(_ context.Context, call *interceptor.Call, _ error) error {
				return call.Reply(&pb.UnaryResponse{Text: "hook", Nested: &pb.Nested{Text: "deep"}, NestedList: []*pb.Nested{{Text: "listed"}}})
			},
		}))
		gw := gateway.New(stack, described{methods: methodsWith(t, "Svc", map[string]*annotations.HttpRule{"M": rule})})
		err := gw.Mux().HandlePath("GET", "/v1/x", func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
			_, m := runtime.MarshalerForRequest(gw.Mux(), r) // what generated code does with a body it cannot decode
			runtime.HTTPError(r.Context(), gw.Mux(), m, w, r, status.Error(codes.InvalidArgument, "undecodable"))
		})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		gw.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/x", nil))
		if got := strings.ReplaceAll(w.Body.String(), " ", ""); w.Code != 200 || !strings.HasPrefix(got, want) {
			t.Errorf("response_body %s: got %d %s, want %s", field, w.Code, got, want)
		}
	}
}
