package authz

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// FuzzCondition: whatever a condition says, and whatever callers and messages hold,
// compiling and evaluating neither panics nor hangs. What compiles decides with a
// bool; a failed evaluation is a denial. What the expression does not name is not read.
func FuzzCondition(f *testing.F) {
	for _, source := range []string{
		"true", "principal.subject == request.id", "request.nested.text + request.text != ''", "'a' in principal.scopes",
		"principal.claims.x.y[0].z == 1", "has(principal.claims.x) ? principal.claims.x : false", "[1,2].all(request, request > 0)",
		"request.text.matches('(a+)+$')", "type(request) == type(request)", "dyn(1) == dyn('1')", "int('9223372036854775808') == 1",
		"timestamp('0001-01-01T00:00:00Z') < timestamp(request.text)", "duration('1000000000h') > duration('1s')", "{1: true}[1]",
		"1/0 == 1", "-9223372036854775808 / -1 > 0", "bytes(request.text) == b'\\xff'", "string(b'\\xff') == ''", "peer.tls || method.kind == 'unary'",
		"principal == principal", ".request.text == ''", "[[[[[[[[]]]]]]]] == []", "!!!!!!!!!!true", "\x00", "'\\u0000' == request.text", "request.text.size() > 1e308",
		"[1,2,3].all(a, [1,2,3].all(b, [1,2,3].all(c, [1,2,3].all(d, a+b+c+d > 0))))", "google.protobuf.Any{type_url: 'x'} == 1", "crosscut.conformance.v1.UnaryRequest{} == request",
	} {
		f.Add(source, "hello")
	}
	f.Add(strings.Repeat("(", 1000), "x")
	f.Add(strings.Repeat("[", 300)+strings.Repeat("]", 300)+" == []", "x")
	f.Add(strings.Repeat("!", 1000)+"true", "x")
	f.Add(strings.Repeat("true && ", 400)+"true", "x")

	unary := interceptortest.NewMethod(pb.ConformanceService_Unary_FullMethodName)
	route := interceptortest.NewMethod("POST /plain")
	f.Fuzz(func(t *testing.T, source, text string) {
		v := &variables{
			principal: authn.NewPrincipal(text, authn.WithScopes(text), authn.WithClaims(map[string]any{text: text, "x": []any{1.0, nil, map[string]any{"y": text}}})),
			call:      new(interceptor.Call),
		}
		for _, m := range []*interceptor.Method{unary, route} {
			c, err := compile(source, m)
			if err != nil {
				if !strings.HasPrefix(err.Error(), conditionField+" ") {
					t.Errorf("%q: the error %q does not name the field", source, err)
				}
				continue
			}
			v.method, v.request = m, nil
			if m == unary && c.readsRequest {
				v.request = &pb.UnaryRequest{Id: text, Text: text, Nested: &pb.Nested{Text: text}}
			} else if c.readsRequest {
				t.Errorf("%q reads the request of a plain route", source)
			}
			if err := c.evaluate(v); err != nil && interceptor.StatusOf(err).Code() != codes.PermissionDenied {
				t.Errorf("%q: %v; want PERMISSION_DENIED", source, err)
			}
		}
	})
}
