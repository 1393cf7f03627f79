package authz_test

import (
	"context"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// prepared is a call of p that has come to the hook, and a function that decides about
// it again.
func prepared(tb testing.TB, p *authn.Principal, rules ...policy.Rule) func() error {
	tb.Helper()
	hook, method := authz.New(), interceptortest.NewMethod("/"+conformance+"/Unary")
	call, _ := interceptortest.NewCall(interceptortest.WithMethod(method, ""),
		interceptortest.WithHooks(policy.New(everywhere(rules...)...), as(p), hook))
	interceptortest.RunPhases(call, nil)
	ctx := context.Background()
	return func() error {
		_, err := hook.BeforeHandler(ctx, call, method)
		return err
	}
}

// TestCost: neither an agreement nor a refusal allocates, whatever sets it compares.
func TestCost(t *testing.T) {
	for name, decide := range map[string]func() error{
		"public":  prepared(t, nil, policy.Public),
		"allowed": prepared(t, principals["admin"], policy.Scopes("items.read", "items.write"), policy.Roles("owner", "admin")),
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := decide(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	for name, decide := range map[string]func() error{
		"nobody":     prepared(t, nil, policy.Authenticated),
		"no scope":   prepared(t, principals["reader"], policy.Scopes("items.write")),
		"not a role": prepared(t, principals["reader"], policy.Roles("owner", "admin")),
	} {
		if n := testing.AllocsPerRun(100, func() {
			if decide() == nil {
				t.Fatal("allowed")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func BenchmarkDecision(b *testing.B) {
	for name, rules := range map[string][]policy.Rule{
		"public":    {policy.Public},
		"scopes":    {policy.Scopes("items.read", "items.write")},
		"roles":     {policy.Scopes("items.read"), policy.Roles("owner", "admin")},
		"condition": {policy.Condition("principal.subject == 'root' && 'admin' in principal.roles")},
	} {
		b.Run(name, func(b *testing.B) {
			decide := prepared(b, principals["admin"], rules...)
			b.ReportAllocs()
			for b.Loop() {
				if err := decide(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	hook := authz.New()
	message := &pb.UnaryRequest{Id: "root", Text: "hello"}
	call, ctx := interceptortest.NewCall(interceptortest.WithMessage(message),
		interceptortest.WithHooks(policy.New(policy.Service(conformance, policy.Condition("request.id == principal.subject"))), as(principals["admin"]), hook))
	interceptortest.RunPhases(call, nil)
	receive := hook.(interceptor.MessageHook).OnReceive
	b.ReportAllocs()
	for b.Loop() {
		if err := receive(ctx, call, message); err != nil {
			b.Fatal(err)
		}
	}
}
