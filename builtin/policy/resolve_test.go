package policy_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

const (
	public        = policyv1.Access_ACCESS_PUBLIC
	authenticated = policyv1.Access_ACCESS_AUTHENTICATED
	denied        = policyv1.Access_ACCESS_DENIED
)

// row resolves the policy of the described method.
func row(t *testing.T, service, method *policyv1.Policy, opts ...policy.Option) policy.Row {
	t.Helper()
	rows := policy.TableOfServices([]protoreflect.ServiceDescriptor{describe(t, service, method)}, opts...).Rows
	if len(rows) != 1 || rows[0].Method != described || rows[0].Kind != "unary" {
		t.Fatalf("got %+v, want one row for %s", rows, described)
	}
	r := rows[0]
	r.Method, r.Kind, r.Bindings = "", "", nil
	return r
}

// TestRequirementsAddUp is what a service and its method say together.
func TestRequirementsAddUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		service, method *policyv1.Policy
		opts            []policy.Option
		want            policy.Row
	}{
		{name: "public", method: &policyv1.Policy{Access: public}, want: policy.Row{Access: "public"}},
		{name: "denied", method: &policyv1.Policy{Access: denied}, want: policy.Row{Access: "denied"}},
		{name: "inherited", service: &policyv1.Policy{Access: denied}, want: policy.Row{Access: "denied"}},
		{name: "asking for a scope implies a caller", method: &policyv1.Policy{Scopes: []string{"b", "a"}},
			want: policy.Row{Access: "authenticated", Scopes: []string{"a", "b"}}},
		{name: "so does a service", service: &policyv1.Policy{Roles: []string{"b", "a"}},
			want: policy.Row{Access: "authenticated", Roles: [][]string{{"a", "b"}}}},
		{name: "both", service: &policyv1.Policy{Access: authenticated, Schemes: []string{"mtls", "bearer"}, Scopes: []string{"a"}, Roles: []string{"x"}, Condition: "c1"},
			method: &policyv1.Policy{Schemes: []string{"basic", "bearer"}, Scopes: []string{"b", "a"}, Roles: []string{"y"}, Condition: "c2"},
			want: policy.Row{Access: "authenticated", Schemes: []string{"bearer"}, Scopes: []string{"a", "b"},
				Roles: [][]string{{"x"}, {"y"}}, Conditions: []string{"c1", "c2"}}},
		{name: "schemes of one", service: &policyv1.Policy{Schemes: []string{"mtls"}}, method: &policyv1.Policy{Scopes: []string{"a"}},
			want: policy.Row{Access: "authenticated", Schemes: []string{"mtls"}, Scopes: []string{"a"}}},
		{name: "access replaces all", service: &policyv1.Policy{Access: authenticated, Schemes: []string{"mtls"}, Scopes: []string{"a"}, Roles: []string{"x"}, Condition: "c1", Audit: true},
			method: &policyv1.Policy{Access: authenticated, Scopes: []string{"b"}},
			want:   policy.Row{Access: "authenticated", Scopes: []string{"b"}}},
		{name: "public in an authenticated service", service: &policyv1.Policy{Access: authenticated}, method: &policyv1.Policy{Access: public},
			want: policy.Row{Access: "public"}},
		{name: "limits", method: &policyv1.Policy{Access: public, MaxRequestBytes: 5, Timeout: durationpb.New(time.Second), Audit: true, Rate: &policyv1.Rate{Requests: 5}},
			want: policy.Row{Access: "public", MaxRequestBytes: 5, Timeout: "1s", Audit: true, Rate: "5 per 1s, burst 5, by address"}},
		{name: "the stricter limit", service: &policyv1.Policy{Access: authenticated, MaxRequestBytes: 5, Timeout: durationpb.New(time.Minute), Audit: true},
			method: &policyv1.Policy{MaxRequestBytes: 6, Timeout: durationpb.New(time.Second),
				Rate: &policyv1.Rate{Requests: 1, Per: durationpb.New(time.Hour), Burst: 3, Key: policyv1.RateKey_RATE_KEY_PRINCIPAL}},
			want: policy.Row{Access: "authenticated", MaxRequestBytes: 5, Timeout: "1s", Audit: true, Rate: "1 per 1h0m0s, burst 3, by principal"}},
		{name: "the largest message", method: &policyv1.Policy{Access: public, MaxRequestBytes: math.MaxInt64},
			want: policy.Row{Access: "public", MaxRequestBytes: math.MaxInt64}},
		{name: "service in Go", opts: []policy.Option{policy.Service(describedService, policy.Public)}, want: policy.Row{Access: "public"}},
		{name: "service in Go, method in the .proto", opts: []policy.Option{policy.Service(describedService, policy.Authenticated)},
			method: &policyv1.Policy{Scopes: []string{"a"}}, want: policy.Row{Access: "authenticated", Scopes: []string{"a"}}},
		{name: "method in Go adds to the service's .proto", opts: []policy.Option{policy.Method(described, policy.Scopes("a"))},
			service: &policyv1.Policy{Roles: []string{"r"}}, want: policy.Row{Access: "authenticated", Scopes: []string{"a"}, Roles: [][]string{{"r"}}}},
		{name: "method in Go replaces the service in Go", opts: []policy.Option{policy.Service(describedService, policy.Public), policy.Method(described, policy.Denied)},
			want: policy.Row{Access: "denied"}},
		{name: "override of a method", opts: []policy.Option{policy.Method(described, policy.Override(), policy.Scopes("a"))},
			service: &policyv1.Policy{Roles: []string{"r"}}, method: &policyv1.Policy{Access: public},
			want: policy.Row{Access: "authenticated", Scopes: []string{"a"}, Roles: [][]string{{"r"}}}},
		{name: "override of what a service says about a method", opts: []policy.Option{policy.Method(described, policy.Override(), policy.Public)},
			service: &policyv1.Policy{Access: denied}, want: policy.Row{Access: "public"}},
		{name: "override of a service", opts: []policy.Option{policy.Service(describedService, policy.Public, policy.Override())},
			service: &policyv1.Policy{Access: denied}, want: policy.Row{Access: "public"}},
		{name: "override of a service leaves its methods", opts: []policy.Option{policy.Service(describedService, policy.Public, policy.Override())},
			service: &policyv1.Policy{Access: authenticated}, method: &policyv1.Policy{Access: denied}, want: policy.Row{Access: "denied"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := row(t, test.service, test.method, test.opts...); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// TestRefusedPolicies are those that a server does not start with: nobody said who may
// call, or what was said is empty, unknown or contradicts itself.
func TestRefusedPolicies(t *testing.T) {
	t.Parallel()
	optionM, optionS := "option (crosscut.policy.v1.method) of policy.test.S.M", "option (crosscut.policy.v1.service) of policy.test.S"
	tests := []struct {
		name            string
		service, method *policyv1.Policy
		opts            []policy.Option
		want            []string
	}{
		{name: "nothing", want: []string{"no policy says who may call it", `policy.Service("policy.test.S", …) or policy.Method("/policy.test.S/M", …)`}},
		{name: "only a limit", method: &policyv1.Policy{Audit: true}, want: []string{"no policy says who may call it"}},
		{name: "only a limit of the service", service: &policyv1.Policy{Audit: true}, want: []string{"no policy says who may call it"}},
		{name: "empty", method: &policyv1.Policy{}, want: []string{optionM, "access: the policy is empty"}},
		{name: "empty service", service: &policyv1.Policy{}, method: &policyv1.Policy{Access: public}, want: []string{optionS, "empty"}},
		{name: "unknown access", method: &policyv1.Policy{Access: 9}, want: []string{optionM, "access: the value 9"}},
		{name: "unknown field", method: withUnknown(&policyv1.Policy{Access: public}), want: []string{"policy: it has a field that this version does not know"}},
		{name: "public service", service: &policyv1.Policy{Access: public}, want: []string{optionS, "access: a service cannot be public"}},
		{name: "public with schemes", method: &policyv1.Policy{Access: public, Schemes: []string{"a"}}, want: []string{"schemes: access is public"}},
		{name: "public with scopes", method: &policyv1.Policy{Access: public, Scopes: []string{"a"}}, want: []string{"scopes: access is public"}},
		{name: "denied with roles", method: &policyv1.Policy{Access: denied, Roles: []string{"a"}}, want: []string{"roles: access is denied"}},
		{name: "denied with a condition", service: &policyv1.Policy{Access: denied, Condition: "true"}, want: []string{optionS, "condition: access is denied"}},
		{name: "asking in a denied service", service: &policyv1.Policy{Access: denied}, method: &policyv1.Policy{Scopes: []string{"a"}},
			want: []string{optionM, "scopes: nothing can be asked", "denied by " + optionS}},
		{name: "asking in a service that is public in Go", opts: []policy.Option{policy.Service(describedService, policy.Public)}, method: &policyv1.Policy{Roles: []string{"a"}},
			want: []string{optionM, "roles: nothing can be asked", `public by policy.Service("policy.test.S")`}},
		{name: "no scheme left", service: &policyv1.Policy{Schemes: []string{"mtls"}}, method: &policyv1.Policy{Schemes: []string{"bearer"}},
			want: []string{optionM, "schemes: none of them is accepted by the service"}},
		{name: "empty scheme", method: &policyv1.Policy{Schemes: []string{""}}, want: []string{"schemes: one of them is empty"}},
		{name: "scheme in upper case", method: &policyv1.Policy{Schemes: []string{"Bearer"}}, want: []string{`schemes: "Bearer"`, "lower-case"}},
		{name: "empty scope", method: &policyv1.Policy{Scopes: []string{"a", ""}}, want: []string{"scopes: one of them is empty"}},
		{name: "two scopes in one", method: &policyv1.Policy{Scopes: []string{"a b"}}, want: []string{`scopes: "a b"`, "RFC 6749"}},
		{name: "scope beyond ASCII", method: &policyv1.Policy{Scopes: []string{"ä"}}, want: []string{"RFC 6749"}},
		{name: "repeated scope", method: &policyv1.Policy{Scopes: []string{"a", "b", "a"}}, want: []string{`scopes: "a" is listed twice`}},
		{name: "repeated role", method: &policyv1.Policy{Roles: []string{"a", "a"}}, want: []string{`roles: "a" is listed twice`}},
		{name: "role with a space", method: &policyv1.Policy{Roles: []string{"admin "}}, want: []string{`roles: "admin "`}},
		{name: "role with a line end", method: &policyv1.Policy{Roles: []string{"a\nb"}}, want: []string{`roles: "a\nb"`}},
		{name: "blank condition", method: &policyv1.Policy{Condition: " \n"}, want: []string{"condition: it is blank"}},
		{name: "several at once", method: &policyv1.Policy{Access: 9, Scopes: []string{""}, Rate: &policyv1.Rate{}},
			want: []string{"access: the value 9", "scopes: one of them", "rate.requests: it is 0"}},
		{name: "too many bytes", method: &policyv1.Policy{Access: public, MaxRequestBytes: math.MaxInt64 + 1}, want: []string{"max_request_bytes: it is larger"}},
		{name: "timeout of zero", method: &policyv1.Policy{Access: public, Timeout: &durationpb.Duration{}}, want: []string{"timeout: 0s is not a usable"}},
		{name: "negative timeout", method: &policyv1.Policy{Access: public, Timeout: durationpb.New(-1)}, want: []string{"timeout: -1ns is not a usable"}},
		{name: "timeout of two signs", method: &policyv1.Policy{Access: public, Timeout: &durationpb.Duration{Seconds: 1, Nanos: -1}}, want: []string{"timeout: it is not a valid"}},
		{name: "timeout for ever", method: &policyv1.Policy{Access: public, Timeout: &durationpb.Duration{Seconds: 1e10}}, want: []string{"timeout: 2562047h"}},
		{name: "timeout with an unknown field", method: &policyv1.Policy{Access: public, Timeout: withUnknown(durationpb.New(1))}, want: []string{"timeout: it is not a valid"}},
		{name: "rate with an unknown field", method: &policyv1.Policy{Access: public, Rate: withUnknown(&policyv1.Rate{Requests: 1})}, want: []string{"rate: it has a field"}},
		{name: "rate of no time", method: &policyv1.Policy{Access: public, Rate: &policyv1.Rate{Requests: 1, Per: &durationpb.Duration{}}}, want: []string{"rate.per: 0s"}},
		{name: "rate by something unknown", method: &policyv1.Policy{Access: public, Rate: &policyv1.Rate{Requests: 1, Key: 9}}, want: []string{"rate.key: the value 9"}},
		{name: "public rate by principal", method: &policyv1.Policy{Access: public, Rate: &policyv1.Rate{Requests: 1, Key: policyv1.RateKey_RATE_KEY_PRINCIPAL}},
			want: []string{"rate: access is public"}},
		{name: "two rates", service: &policyv1.Policy{Access: authenticated, Rate: &policyv1.Rate{Requests: 1}},
			method: &policyv1.Policy{Rate: &policyv1.Rate{Requests: 1, Key: policyv1.RateKey_RATE_KEY_METHOD}}, want: []string{optionM, "rate: the service has a rate too"}},
		{name: "two truths", method: &policyv1.Policy{Access: authenticated}, opts: []policy.Option{policy.Method(described, policy.Public)},
			want: []string{`policy.Method("/policy.test.S/M") would replace ` + optionM, "policy.Override()"}},
		{name: "two truths that agree", method: &policyv1.Policy{Access: public}, opts: []policy.Option{policy.Method(described, policy.Public)},
			want: []string{"would replace"}},
		{name: "two truths about a service", service: &policyv1.Policy{Access: authenticated}, opts: []policy.Option{policy.Service(describedService, policy.Public)},
			want: []string{`policy.Service("policy.test.S") would replace ` + optionS}},
		{name: "a method in Go that opens a closed service", service: &policyv1.Policy{Access: authenticated}, opts: []policy.Option{policy.Method(described, policy.Public)},
			want: []string{`policy.Method("/policy.test.S/M") would replace ` + optionS}},
		{name: "override of nothing", opts: []policy.Option{policy.Method(described, policy.Public, policy.Override())}, want: []string{"has Override, but there is no option"}},
		{name: "override of no service", opts: []policy.Option{policy.Service(describedService, policy.Public, policy.Override())}, want: []string{"has Override, but there is no option"}},
		{name: "override that adds", service: &policyv1.Policy{Access: authenticated}, opts: []policy.Option{policy.Method(described, policy.Scopes("a"), policy.Override())},
			want: []string{"has Override, but there is no option"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := row(t, test.service, test.method, test.opts...)
			for _, part := range append(test.want, described) {
				if !strings.Contains(got.Problem, part) {
					t.Errorf("got %q, want it to contain %q", got.Problem, part)
				}
			}
			if got.Access != "undeclared" && got.Access != "invalid" || got.Scopes != nil || got.Roles != nil {
				t.Errorf("got %+v, want nothing of a refused policy", got)
			}
			checkClosed(t, describe(t, test.service, test.method), test.opts)
		})
	}
}

// checkClosed wants the hook to refuse the method at start-up, and its calls too.
func checkClosed(t *testing.T, service protoreflect.ServiceDescriptor, opts []policy.Option) {
	t.Helper()
	hook, method := policy.New(opts...), interceptortest.NewMethodOf(service.Methods().Get(0))
	if err := hook.(interceptor.MethodChecker).CheckMethod(method); err == nil {
		t.Error("the server may start")
	}
	if fields := hook.(interceptor.Demander).Demands(method); fields != nil {
		t.Errorf("it demands %v", fields)
	}
	call, ctx := interceptortest.NewCall()
	if _, err := hook.BeforeHandler(ctx, call, method); err == nil {
		t.Error("a call passes")
	}
	if p, ok := policy.Key.Get(call); ok {
		t.Errorf("a policy was handed inward: %v", p)
	}
}

// TestOptionOfARunTimeDescriptor: the option counts also where it is a dynamic message
// or bytes that nobody has parsed.
func TestOptionOfARunTimeDescriptor(t *testing.T) {
	t.Parallel()
	typed := &descriptorpb.MethodOptions{}
	proto.SetExtension(typed, policyv1.E_Method, &policyv1.Policy{Access: authenticated, Scopes: []string{"a"}})
	wire, err := proto.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	raw := &descriptorpb.MethodOptions{}
	raw.ProtoReflect().SetUnknown(wire)

	ext := dynamicpb.NewExtensionType(policyv1.E_Method.TypeDescriptor())
	value := dynamicpb.NewMessage(ext.TypeDescriptor().Message())
	list := value.Mutable(value.Descriptor().Fields().ByName("scopes")).List()
	list.Append(protoreflect.ValueOfString("a"))
	dynamic := &descriptorpb.MethodOptions{}
	dynamic.ProtoReflect().Set(ext.TypeDescriptor(), protoreflect.ValueOfMessage(value))

	for _, options := range []*descriptorpb.MethodOptions{typed, raw, dynamic} {
		service := describeOptions(t, nil, options)
		r := policy.TableOfServices([]protoreflect.ServiceDescriptor{service}).Rows[0]
		if r.Access != "authenticated" || !reflect.DeepEqual(r.Scopes, []string{"a"}) {
			t.Errorf("got %+v, want the scope", r)
		}
	}
}
