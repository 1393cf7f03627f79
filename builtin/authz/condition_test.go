package authz_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConditions evaluates one condition each, on a unary call of one caller.
func TestConditions(t *testing.T) {
	t.Parallel()
	caller := authn.NewPrincipal("alice", authn.WithIssuer("https://issuer.test"), authn.WithScheme("bearer"),
		authn.WithScopes("a", "b"), authn.WithRoles("member"),
		authn.WithClaims(map[string]any{"team": "red", "level": 3.0, "groups": []any{"x", "y"}, "verified": true, "address": map[string]any{"city": "Bern"}}))
	message := &pb.UnaryRequest{Id: "alice", Text: "hello", Nested: &pb.Nested{Secret: "s3cret"}}
	for condition, want := range map[string]bool{
		// What a condition can read.
		"principal.subject == 'alice' && principal.issuer == 'https://issuer.test' && principal.scheme == 'bearer'":                             true,
		"'b' in principal.scopes && !('c' in principal.scopes)":                                                                                 true,
		"principal.roles == ['member']":                                                                                                         true,
		"principal.claims.team == 'red' && principal.claims['level'] >= 3 && principal.claims.verified":                                         true,
		"has(principal.claims.team) && !has(principal.claims.nothing)":                                                                          true,
		"principal.claims.groups.exists(g, g == 'y') && principal.claims.address.city == 'Bern'":                                                true,
		"method.name == '/crosscut.conformance.v1.ConformanceService/Unary'":                                                                    true,
		"method.service == 'crosscut.conformance.v1.ConformanceService' && method.kind == 'unary'":                                              true,
		"peer.address == '192.0.2.7' && peer.network == 'tcp' && peer.tls":                                                                      true,
		"request.id == principal.subject":                                                                                                       true,
		"request.nested.secret.startsWith('s3') && !request.upper_case && has(request.nested)":                                                  true,
		"request == crosscut.conformance.v1.UnaryRequest{id: 'alice', text: 'hello', nested: crosscut.conformance.v1.Nested{secret: 's3cret'}}": true,
		// What is not so.
		"principal.subject == 'Alice'":    false,
		"request.id != principal.subject": false,
		"peer.address == '192.0.2.8'":     false,
		// What cannot be evaluated refuses.
		"principal.claims.nothing == 'x'":                 false,
		"principal.claims.team > 3":                       false,
		"int(request.text) == 1":                          false,
		"[1, 2][principal.scopes.size()] == 1":            false,
		"1 / (principal.scopes.size() - 2) == 1 || false": false,
		// The other side of an "or" counts, as the language says.
		"principal.claims.nothing == 'x' || principal.subject == 'alice'": true,
	} {
		t.Run(condition, func(t *testing.T) {
			t.Parallel()
			call, _ := interceptortest.NewCall(
				interceptortest.WithHooks(policy.New(policy.Service(conformance, policy.Condition(condition))), as(caller), authz.New()),
				interceptortest.WithPeer(interceptor.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 999}, TLS: &tls.ConnectionState{}}),
				interceptortest.WithMessage(proto.Clone(message)))
			got := interceptortest.RunPhases(call, nil)
			code := codes.OK
			if !want {
				code = codes.PermissionDenied
			}
			if interceptor.StatusOf(got.Err).Code() != code || got.Reached != want {
				t.Fatalf("%v, handler reached %v; want %v", got.Err, got.Reached, code)
			}
			if got.Err == nil {
				return
			}
			if st := interceptor.StatusOf(got.Err); st.Message() != "permission denied" || !call.Denied() {
				t.Errorf("the client is told %q, denied %v", st.Message(), call.Denied())
			}
			if text := got.Err.Error(); !strings.Contains(text, "the condition") || strings.Contains(text, "hello") || strings.Contains(strings.ReplaceAll(text, condition, ""), "red") {
				t.Errorf("the operator is told %q; want the condition and no value", text)
			}
		})
	}
}

// TestStartUp: conditions that could not decide anything close their method, with the
// place of the mistake.
func TestStartUp(t *testing.T) {
	t.Parallel()
	unary, route := "/"+conformance+"/Unary", "POST /plain"
	for _, tt := range []struct {
		method, condition string
		want              []string
	}{
		{unary, "principal.subjct == 'x'", []string{"line 1, column 10", "undeclared reference to 'principal.subjct'"}},
		{unary, "user == 'x'", []string{"line 1, column 1", "undeclared reference to 'user'"}},
		{unary, "principal == 'x'", []string{"undeclared reference to 'principal'"}},
		{unary, "true &&\n request.txt == ''", []string{"line 2, column 9", "undefined field 'txt'"}},
		{unary, "request.text == 3", []string{"no matching overload"}},
		{unary, "request.text", []string{"it is of type string", "bool"}},
		{unary, "principal.claims.admin || 1", []string{"expected type 'bool' but found 'int'"}},
		{unary, "principal.claims.admin", []string{"it is of type dyn"}},
		{unary, "principal.subject.matches('^(a+)+$')", []string{"undeclared reference to 'matches'"}},
		{unary, "matches(request.text, 'a')", []string{"undeclared reference to 'matches'"}},
		{unary, "principal.subject ==", []string{"Syntax error"}},
		{unary, strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300), []string{"true" + strings.Repeat(")", 300) + "\": expression recursion limit exceeded"}},
		{unary, "'" + strings.Repeat("x", 5000) + "' == ''", []string{"4096"}},
		{route, "request.text == ''", []string{"reads request", route, "use principal, method and peer alone"}},
		{"/unknown.Service/Method", "request.text == ''", []string{"reads request", "/unknown.Service/Method"}},
	} {
		rule := policy.Condition(tt.condition)
		opts := []policy.Option{policy.Service(conformance, rule), policy.Method("/unknown.Service/Method", rule), policy.Route(route, rule)}
		stack := interceptor.MustNew(hooks(opts...)...)
		got := stack.Explain(interceptortest.NewMethod(tt.method))
		for _, want := range append(tt.want, "closed: crosscut: hook authz refuses method "+tt.method, "crosscut.policy.v1.Policy.condition") {
			if !strings.Contains(got, want) {
				t.Errorf("%.40s: no %q in\n%s", tt.condition, want, got)
			}
		}
	}
}

// TestAllMistakesAtOnce: the conditions of service and method are checked together.
func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew(hooks(policy.Service(conformance, policy.Condition("first")), policy.Method("/"+conformance+"/Unary", policy.Condition("second")))...)
	got := stack.Explain(interceptortest.NewMethod("/" + conformance + "/Unary"))
	if !strings.Contains(got, "reference to 'first'") || !strings.Contains(got, "reference to 'second'") {
		t.Error(got)
	}
}

// TestConditionsAddUp: those of the service and of the method must both be true,
// wherever each is evaluated.
func TestConditionsAddUp(t *testing.T) {
	t.Parallel()
	own := policy.Method("/"+conformance+"/Unary", policy.Condition("request.text == 'hello'"))
	for _, tt := range []struct {
		condition, text string
		want            codes.Code
	}{
		{"principal.subject == 'alice'", "hello", codes.OK},
		{"principal.subject == 'alice'", "bye", codes.PermissionDenied},
		{"principal.subject == 'bob'", "hello", codes.PermissionDenied},
		{"request.id == ''", "hello", codes.OK},
		{"request.id != ''", "hello", codes.PermissionDenied},
	} {
		call, _ := interceptortest.NewCall(
			interceptortest.WithHooks(policy.New(policy.Service(conformance, policy.Condition(tt.condition)), own), as(principals["reader"]), authz.New()),
			interceptortest.WithMessage(&pb.UnaryRequest{Text: tt.text}))
		if got := interceptortest.RunPhases(call, nil); interceptor.StatusOf(got.Err).Code() != tt.want || got.Reached != (tt.want == codes.OK) {
			t.Errorf("%s with %q: %v; want %v", tt.condition, tt.text, got.Err, tt.want)
		}
	}
}

// TestForeignMessage: what is not the method's request message is refused.
func TestForeignMessage(t *testing.T) {
	t.Parallel()
	for _, message := range []any{"a string", &pb.UnaryResponse{Text: "hello"}, (*pb.UnaryRequest)(nil)} {
		if got := run(t, principals["admin"], message, policy.Scopes("items.read")); got.Err != nil {
			t.Errorf("without a condition: %v", got.Err)
		}
		call, _ := interceptortest.NewCall(
			interceptortest.WithHooks(policy.New(policy.Service(conformance, policy.Condition("request.text != 'x' && request.id == 'y'"))), as(principals["admin"]), authz.New()),
			interceptortest.WithMessage(message))
		if got := interceptortest.RunPhases(call, nil); got.Err == nil || got.Reached {
			t.Errorf("%T: %v, handler reached %v; want a refusal", message, got.Err, got.Reached)
		}
	}
}
