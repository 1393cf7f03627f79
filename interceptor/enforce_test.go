package interceptor_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// guardHook enforces fields, and demands others if it has a function for that.
type guardHook struct {
	interceptor.Base
	name   string
	fields []protoreflect.FullName
}

func (h *guardHook) Name() string                      { return h.name }
func (h *guardHook) Enforces() []protoreflect.FullName { return h.fields }

type demandingHook struct {
	guardHook
	demands func(*methT) []protoreflect.FullName
}

func (h *demandingHook) Demands(m *methT) []protoreflect.FullName { return h.demands(m) }

// fields spells names: those with a dot are options, others fields of Policy.
func fields(names ...string) (full []protoreflect.FullName) {
	for _, n := range names {
		if rest, isOption := strings.CutPrefix(n, "option "); isOption {
			full = append(full, protoreflect.FullName("crosscut.policy.v1."+rest))
		} else {
			full = append(full, protoreflect.FullName("crosscut.policy.v1.Policy."+n))
		}
	}
	return full
}

func guarding(name string, names ...string) interceptor.Hook {
	return &guardHook{name: name, fields: fields(names...)}
}

// reading is a hook that reads both options and, like that of package policy, hands
// inward what a method demands.
func reading(demands ...string) interceptor.Hook {
	h := &demandingHook{demands: func(*methT) []protoreflect.FullName { return fields(demands...) }}
	h.name, h.fields = "reader", fields("option method", "option service")
	return h
}

// annotatedRPC is a method whose .proto has these options, nil for none.
func annotatedRPC(t *testing.T, service, method *policyv1.Policy) *methT {
	t.Helper()
	so, mo := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	if service != nil {
		proto.SetExtension(so, policyv1.E_Service, service)
	}
	if method != nil {
		proto.SetExtension(mo, policyv1.E_Method, method)
	}
	return rpcWithOptions(t, so, mo)
}

func rpcWithOptions(t *testing.T, service *descriptorpb.ServiceOptions, method *descriptorpb.MethodOptions) *methT {
	t.Helper()
	value := proto.String(".google.protobuf.StringValue")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("enforce_test.proto"), Package: proto.String("enforce.test"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Options: service, Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("M"), InputType: value, OutputType: value, Options: method},
		}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return ops.NewMethod("/enforce.test.S/M", file.Services().Get(0).Methods().Get(0), uint8(interceptor.Unary))
}

// unknownField is a field of a number that no message here has.
func unknownField(number protowire.Number) protoreflect.RawFields {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), 1)
}

func withUnknown(p *policyv1.Policy, number protowire.Number) *policyv1.Policy {
	p.ProtoReflect().SetUnknown(unknownField(number))
	return p
}

// everyField is a policy with each of its fields set.
func everyField() *policyv1.Policy {
	return &policyv1.Policy{
		Access: policyv1.Access_ACCESS_AUTHENTICATED, Schemes: []string{"bearer"}, Scopes: []string{"a"}, Roles: []string{"b"},
		Condition: "true", MaxRequestBytes: 1, Timeout: durationpb.New(1), Rate: &policyv1.Rate{Requests: 1}, Audit: true,
	}
}

// TestEveryPolicyFieldMustBeEnforced: each field of the message by itself closes a
// method of an empty stack, also one that a later version of the .proto adds.
func TestEveryPolicyFieldMustBeEnforced(t *testing.T) {
	t.Parallel()
	stack, _ := build(t)
	all := (&policyv1.Policy{}).ProtoReflect().Descriptor().Fields()
	for i := range all.Len() {
		field := all.Get(i)
		p := &policyv1.Policy{}
		p.ProtoReflect().Set(field, everyField().ProtoReflect().Get(field))
		for _, m := range []*methT{annotatedRPC(t, nil, p), annotatedRPC(t, p, nil)} {
			for _, kind := range []driver.Kind{driver.GRPC, driver.HTTP} {
				err := ops.Prepare(stack, m, kind)
				if err == nil {
					t.Fatalf("%s is enforced by nobody and closes nothing", field.FullName())
				}
				wantText(t, err.Error(), "/enforce.test.S/M", string(field.FullName()), "no hook enforces", "list policy.New()")
			}
		}
	}
}

// TestEnforced is which lists of hooks a policy is kept by.
func TestEnforced(t *testing.T) {
	t.Parallel()
	authenticated, public := policyv1.Access_ACCESS_AUTHENTICATED, policyv1.Access_ACCESS_PUBLIC
	scopes := &policyv1.Policy{Access: authenticated, Scopes: []string{"a"}}
	tests := []struct {
		name            string
		service, method *policyv1.Policy
		hooks           []interceptor.Hook
		want            []string // in the error; none for a method that is open
	}{
		{name: "no annotation, empty stack"},
		{name: "read and enforced", method: scopes,
			hooks: []interceptor.Hook{reading("access", "scopes"), guarding("authz", "access", "scopes")}},
		{name: "by two hooks", method: scopes,
			hooks: []interceptor.Hook{reading("access", "scopes"), guarding("authn", "access"), guarding("authz", "scopes")}},
		{name: "by the hook that reads", method: scopes,
			hooks: []interceptor.Hook{guarding("own", "option method", "access", "scopes")}},
		{name: "one field is not", method: scopes,
			hooks: []interceptor.Hook{reading("access", "scopes"), guarding("authn", "access")},
			want:  []string{"/enforce.test.S/M", "Policy.scopes", "no hook enforces", "list authn.New(…) and authz.New() after hook reader"}},
		{name: "one field is not, without a demander", method: scopes,
			hooks: []interceptor.Hook{guarding("own", "option method", "access")},
			want:  []string{"Policy.scopes", "after hook own"}},
		{name: "nobody reads it, so nobody could enforce it", method: scopes,
			hooks: []interceptor.Hook{guarding("authn", "access", "scopes")},
			want:  []string{"Policy.access", "Policy.scopes", "list policy.New()"}},
		{name: "only the option of services is read", method: scopes,
			hooks: []interceptor.Hook{guarding("own", "option service", "access", "scopes")},
			want:  []string{"Policy.scopes", "crosscut.policy.v1.method"}},
		{name: "enforced before it is read", method: scopes,
			hooks: []interceptor.Hook{guarding("authz", "access", "scopes"), reading("access", "scopes")},
			want:  []string{"hook authz enforces", "is listed before hook reader", "list reader, then authz"}},
		{name: "a demander answers for the fields", method: &policyv1.Policy{Access: public},
			hooks: []interceptor.Hook{reading()}},
		{name: "demanded without an annotation",
			hooks: []interceptor.Hook{reading("roles")},
			want:  []string{"Policy.roles", "no hook enforces"}},
		{name: "inherited", service: scopes,
			hooks: []interceptor.Hook{guarding("own", "option service", "access")},
			want:  []string{"Policy.scopes"}},
		{name: "added to", service: scopes, method: &policyv1.Policy{Roles: []string{"r"}},
			hooks: []interceptor.Hook{guarding("own", "option service", "option method")},
			want:  []string{"Policy.scopes", "Policy.roles"}},
		{name: "replaced", service: scopes, method: &policyv1.Policy{Access: public},
			hooks: []interceptor.Hook{guarding("own", "option method", "access")}},
		{name: "a hook in a When that does not pick the method", method: scopes,
			hooks: []interceptor.Hook{reading("access", "scopes"), interceptor.When(interceptor.Services("other.S"), guarding("authz", "access", "scopes"))},
			want:  []string{"Policy.access", "Policy.scopes"}},
		{name: "the reader in a When that does not pick the method", method: scopes,
			hooks: []interceptor.Hook{interceptor.When(interceptor.Services("other.S"), reading()), guarding("authz", "access", "scopes")},
			want:  []string{"Policy.access", "list policy.New()"}},
		{name: "an empty option", method: &policyv1.Policy{},
			hooks: []interceptor.Hook{reading()}, want: []string{"crosscut.policy.v1.method", "is empty"}},
		{name: "an unknown field", method: withUnknown(&policyv1.Policy{Access: public}, 99),
			hooks: []interceptor.Hook{reading()}, want: []string{"crosscut.policy.v1.Policy has a field 99"}},
		{name: "an unknown field further in", hooks: []interceptor.Hook{reading()},
			method: &policyv1.Policy{Access: public, Rate: func() *policyv1.Rate {
				r := &policyv1.Rate{Requests: 1}
				r.ProtoReflect().SetUnknown(unknownField(77))
				return r
			}()},
			want: []string{"crosscut.policy.v1.Rate has a field 77"}},
		{name: "an unknown value", method: &policyv1.Policy{Access: 42},
			hooks: []interceptor.Hook{reading()}, want: []string{"Policy.access has the value 42"}},
		{name: "an unknown value of the service", service: &policyv1.Policy{Rate: &policyv1.Rate{Key: math.MaxInt32}},
			hooks: []interceptor.Hook{reading()}, want: []string{"Rate.key has the value 2147483647"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stack, _ := build(t, test.hooks...)
			err := ops.Prepare(stack, annotatedRPC(t, test.service, test.method), driver.GRPC)
			if (err != nil) != (test.want != nil) {
				t.Fatalf("got %v, want an error: %v", err, test.want != nil)
			}
			if err != nil {
				wantText(t, err.Error(), test.want...)
			}
		})
	}
}

// TestEnforcedPerTransport: a hook on one transport leaves the other closed.
func TestEnforcedPerTransport(t *testing.T) {
	t.Parallel()
	p := &policyv1.Policy{Roles: []string{"r"}}
	stack, _ := build(t, reading("roles"), interceptor.When(interceptor.On(interceptor.HTTP), guarding("authz", "roles")))
	m := annotatedRPC(t, nil, p)
	if err := ops.Prepare(stack, m, driver.HTTP); err != nil {
		t.Errorf("over HTTP: %v, want no error", err)
	}
	if err := ops.Prepare(stack, m, driver.GRPC); err == nil {
		t.Error("over gRPC nobody enforces the roles, and the method is open")
	}
}

// TestDemandsOfRoutes: a plain route has no .proto, and is asked about all the same.
func TestDemandsOfRoutes(t *testing.T) {
	t.Parallel()
	stack, _ := build(t, reading("scopes"))
	err := ops.Prepare(stack, ops.NewRoute("GET /x"), driver.HTTP)
	if err == nil {
		t.Fatal("nobody enforces the scopes, and the route is open")
	}
	wantText(t, err.Error(), "GET /x", "Policy.scopes")
}

// TestDemandsPanics: a hook that cannot say what it demands closes the method.
func TestDemandsPanics(t *testing.T) {
	t.Parallel()
	h := &demandingHook{demands: func(*methT) []protoreflect.FullName { panic("lost") }}
	h.name = "reader"
	stack, _ := build(t, h)
	err := ops.Prepare(stack, newRPC(interceptor.Unary), driver.GRPC)
	if err == nil {
		t.Fatal("the method is open")
	}
	wantText(t, err.Error(), "reader", "/engine.test.Echo/Unary", "lost")
}

// TestOptionNotLinked: an option that came as bytes, because nobody linked its code,
// closes the method, whatever hooks there are; other numbers are other people's.
func TestOptionNotLinked(t *testing.T) {
	t.Parallel()
	stack, _ := build(t, reading(), guarding("all", "access"))
	for _, number := range []protowire.Number{50527, 50528} {
		for _, onService := range []bool{false, true} {
			so, mo := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
			option := proto.Message(mo)
			if onService {
				option = so
			}
			option.ProtoReflect().SetUnknown(unknownField(number))
			err := ops.Prepare(stack, rpcWithOptions(t, so, mo), driver.GRPC)
			if (err != nil) != (number == 50527) {
				t.Fatalf("option %d: got %v", number, err)
			}
			if err != nil {
				wantText(t, err.Error(), "not linked", "proto/crosscut/policy/v1")
			}
		}
	}
}

// TestOptionOfARunTimeDescriptor: the option is found by name whatever type holds it.
func TestOptionOfARunTimeDescriptor(t *testing.T) {
	t.Parallel()
	ext := dynamicpb.NewExtensionType(policyv1.E_Method.TypeDescriptor())
	value := dynamicpb.NewMessage(ext.TypeDescriptor().Message())
	scopes := value.Mutable(value.Descriptor().Fields().ByName("scopes")).List()
	scopes.Append(protoreflect.ValueOfString("a"))
	mo := &descriptorpb.MethodOptions{}
	mo.ProtoReflect().Set(ext.TypeDescriptor(), protoreflect.ValueOfMessage(value))
	stack, _ := build(t)
	err := ops.Prepare(stack, rpcWithOptions(t, &descriptorpb.ServiceOptions{}, mo), driver.GRPC)
	if err == nil {
		t.Fatal("the method is open")
	}
	wantText(t, err.Error(), "Policy.scopes")
}

// TestHalfDemander: a method with the name and another signature is a slip that would
// leave demands unasked.
func TestHalfDemander(t *testing.T) {
	t.Parallel()
	_, err := interceptor.New(halfDemander{})
	if err == nil {
		t.Fatal("the hook is accepted")
	}
	wantText(t, err.Error(), "Demands", "interceptor.Demander")
}

type halfDemander struct{ interceptor.Base }

func (halfDemander) Name() string      { return "half" }
func (halfDemander) Demands() []string { return slices.Clone([]string{"x"}) }

// TestPlain: a route may be named like an RPC, and is none.
func TestPlain(t *testing.T) {
	t.Parallel()
	var none *methT
	if ops.NewMethod("/a.S/M", nil, 0).Plain() || !ops.NewRoute("/a.S/M").Plain() || none.Plain() {
		t.Error("want only the route to be plain")
	}
}
