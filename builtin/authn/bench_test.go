package authn_test

import (
	"net/http"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// BenchmarkCall is a whole call without a transport; "nothing" is what it costs
// without the hook.
func BenchmarkCall(b *testing.B) {
	m := interceptortest.NewMethod("POST /plain")
	for _, bb := range []struct {
		name   string
		hooks  []interceptor.Hook
		header http.Header
	}{
		{"nothing", nil, bearing("Bearer T_reader")},
		{"bearer", []interceptor.Hook{authn.New(authn.Bearer(tokens))}, bearing("Bearer T_reader")},
		{"every place", []interceptor.Hook{authn.New(everywhere()...)}, bearing("Bearer T_reader")},
		{"policy and bearer", []interceptor.Hook{declared(policy.Schemes("bearer")), authn.New(authn.Bearer(tokens))}, bearing("Bearer T_reader")},
		{"refused", []interceptor.Hook{authn.New(authn.Bearer(tokens))}, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			stack := quiet(bb.hooks...)
			w := &wire{request: bb.header}
			b.ReportAllocs()
			for b.Loop() {
				c := new(interceptor.Call)
				ops.Begin(c, stack, b.Context(), w)
				ops.Request(c)
				ops.Resolve(c, m, "")
				ops.End(c, 0)
			}
		})
	}
}
