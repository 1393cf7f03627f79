package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// conformance is the service that the conformance kit calls.
const conformance = "crosscut.conformance.v1.ConformanceService"

// everywhere declares the rules for whatever the kit calls.
func everywhere(rules ...policy.Rule) []policy.Option {
	return []policy.Option{
		policy.Service(conformance, rules...),
		policy.Route("POST /plain", rules...),
		policy.Route("*", rules...),
	}
}

// enforcer is a hook that claims to enforce fields and notes the policy it gets.
type enforcer struct {
	interceptor.Base
	fields []protoreflect.FullName
	before func(*policy.Policy) error
}

func enforces(fields ...string) *enforcer {
	e := &enforcer{}
	for _, f := range fields {
		e.fields = append(e.fields, protoreflect.FullName("crosscut.policy.v1.Policy."+f))
	}
	return e
}

func (e *enforcer) Name() string                      { return "enforcer" }
func (e *enforcer) Enforces() []protoreflect.FullName { return e.fields }
func (e *enforcer) Requires() []interceptor.AnyKey    { return []interceptor.AnyKey{policy.Key} }
func (e *enforcer) BeforeHandler(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
	p, ok := policy.Key.Get(call)
	if !ok || p == nil {
		return nil, errors.New("no policy in the call")
	}
	if e.before != nil {
		return ctx, e.before(p)
	}
	return ctx, nil
}

func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return policy.New(everywhere(policy.Public)...) })
}

// TestDeclaredIsHandedInward: what is declared reaches the hooks further in, and the
// handler, on every transport.
func TestDeclaredIsHandedInward(t *testing.T) {
	t.Parallel()
	inner := enforces("access", "scopes", "roles", "condition", "schemes")
	inner.before = func(p *policy.Policy) error {
		if p.Access() != policy.Authenticated || !p.AcceptsScheme("bearer") || p.AcceptsScheme("basic") {
			return errors.New("another policy arrived")
		}
		return nil
	}
	hooks := []interceptor.Hook{policy.New(everywhere(policy.Authenticated, policy.Schemes("bearer"), policy.Scopes("b", "a"),
		policy.Roles("admin"), policy.Condition("true"))...), inner}
	request := interceptortest.Request{Message: "x", Handler: func(ctx context.Context) error {
		if p, ok := policy.Key.From(ctx); !ok || p.Access() != policy.Authenticated {
			return errors.New("no policy in the handler")
		}
		return nil
	}}
	interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.OK || !got.Reached {
			t.Errorf("code %v, reached %v, want a success: %v", got.Code, got.Reached, got.Err)
		}
	})
}

// TestRefused: nobody passes a method that is denied, or that nobody declared where
// the server was allowed to start; no later hook looks at the call.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		opts   []policy.Option
		reason string
	}{
		{"denied", everywhere(policy.Denied), "it is denied to everybody"},
		{"undeclared", []policy.Option{policy.DangerouslyAllowUndeclared()}, "no policy says who may call it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inner := enforces()
			inner.before = func(*policy.Policy) error {
				t.Error("a hook further in was asked")
				return nil
			}
			var failure error
			outer := interceptor.FromFuncs("outer", interceptor.Funcs{
				OnError: func(_ context.Context, _ *interceptor.Call, err error) error {
					failure = err
					return err
				},
			})
			request := interceptortest.Request{Message: "x", Header: map[string][]string{"Authorization": {"Bearer admin"}}}
			hooks := []interceptor.Hook{outer, policy.New(test.opts...), inner}
			interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
				if got.Code != codes.PermissionDenied || got.Reached || got.HTTPStatus != 0 && got.HTTPStatus != 403 {
					t.Errorf("code %v, status %d, reached %v, want PERMISSION_DENIED before the handler", got.Code, got.HTTPStatus, got.Reached)
				}
				if got.Err == nil || strings.Contains(got.Err.Error(), "polic") {
					t.Errorf("the client was told %v, want no reason", got.Err)
				}
				if failure == nil || !strings.Contains(failure.Error(), test.reason) {
					t.Errorf("the operator was told %v, want %q", failure, test.reason)
				}
				if !got.Call.Denied() {
					t.Error("the call does not count as denied")
				}
			})
		})
	}
}

// TestCost: a decision allocates nothing for a call that other hooks have left
// something with.
func TestCost(t *testing.T) {
	const runs = 100
	calls, other := make([]*interceptor.Call, runs+2), interceptor.NewKey[*int]("other")
	for i := range calls {
		calls[i], _ = interceptortest.NewCall()
		other.Set(calls[i], nil)
	}
	method := interceptortest.NewMethod("/" + conformance + "/Unary")
	hook := policy.New(everywhere(policy.Authenticated)...)
	decide := func() {
		if _, err := hook.BeforeHandler(t.Context(), calls[0], method); err != nil {
			t.Fatal(err)
		}
		calls = calls[1:]
	}
	decide()
	if n := testing.AllocsPerRun(runs, decide); n != 0 {
		t.Errorf("a decision takes %v allocations, want 0", n)
	}
}

func BenchmarkDecision(b *testing.B) {
	call, _ := interceptortest.NewCall()
	method := interceptortest.NewMethod("/" + conformance + "/Unary")
	hook := policy.New(everywhere(policy.Authenticated)...)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hook.BeforeHandler(ctx, call, method); err != nil {
			b.Fatal(err)
		}
	}
}
