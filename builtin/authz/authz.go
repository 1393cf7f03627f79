package authz

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
)

// New returns the hook that enforces the policy of every method it is effective on.
// The stack must list policy.New before it; list authn.New between the two, or every
// method that is not public refuses everybody, which start-up reports.
//
// The hook compiles what a policy demands when the server learns of a method. A
// condition that does not compile keeps the server from starting.
func New() interceptor.Hook {
	return &hook{
		rules:   interceptor.PerMethod(func(*interceptor.Method) *rules { return new(rules) }),
		granted: interceptor.NewKey[*grant]("authz"),
	}
}

type hook struct {
	interceptor.Base
	rules  func(*interceptor.Method) *rules
	warned sync.Once // that no hook identifies callers
	// granted is what BeforeHandler found out, for the conditions on messages. Nobody
	// else has the key, so nobody can exchange the principal during a stream.
	granted *interceptor.Key[*grant]
}

var (
	_ interceptor.Named         = (*hook)(nil)
	_ interceptor.Requirer      = (*hook)(nil)
	_ interceptor.Decider       = (*hook)(nil)
	_ interceptor.Enforcer      = (*hook)(nil)
	_ interceptor.MethodPlanner = (*hook)(nil)
	_ interceptor.MessageHook   = (*hook)(nil)
)

// grant is a caller who may call, if the messages are such.
type grant struct {
	rule      *rule
	principal *authn.Principal
}

// Name returns "authz".
func (h *hook) Name() string { return "authz" }

// Requires returns policy.Key.
func (h *hook) Requires() []interceptor.AnyKey { return []interceptor.AnyKey{policy.Key} }

// Decides marks the hook as one that decides access.
func (h *hook) Decides() {}

// Enforces names the fields of a policy that this hook makes effective.
func (h *hook) Enforces() []protoreflect.FullName {
	return []protoreflect.FullName{
		"crosscut.policy.v1.Policy.access",
		"crosscut.policy.v1.Policy.scopes",
		"crosscut.policy.v1.Policy.roles",
		conditionField,
	}
}

var (
	errNoPlan = errors.New("no hook before this one has said what the policy of the method is; list policy.New() before authz.New()")
	errNoKey  = errors.New("no hook before this one identifies callers, so every call of a method that is not public is refused; list authn.New(…) before authz.New()")
)

// PlanMethod compiles the policy of the method.
func (h *hook) PlanMethod(plan *interceptor.MethodPlan) error {
	p, ok := policy.Key.Planned(plan)
	if !ok {
		return errNoPlan
	}
	r, err := h.rules(plan.Method()).add(p, plan.Method())
	if err != nil {
		return err
	}
	if len(r.onMessage) == 0 {
		plan.SkipMessages()
	}
	if r.access == policy.AccessAuthenticated && !plan.Provided(authn.Key) {
		h.warned.Do(func() { plan.Report(errNoKey) })
	}
	return nil
}

// BeforeHandler agrees to the caller, or refuses the call.
func (h *hook) BeforeHandler(ctx context.Context, call *interceptor.Call, method *interceptor.Method) (context.Context, error) {
	p, _ := policy.Key.Get(call)
	r := h.rules(method).of(p)
	if r == nil {
		return nil, errNoRule
	}
	switch r.access {
	case policy.AccessPublic:
		return ctx, nil
	case policy.AccessAuthenticated:
	default:
		return nil, errClosed
	}
	caller, _ := authn.Key.Get(call)
	if err := r.admit(caller); err != nil {
		return nil, err
	}
	if len(r.onCall) > 0 {
		if err := evaluate(r.onCall, &variables{principal: caller, method: method, call: call}); err != nil {
			return nil, err
		}
	}
	if len(r.onMessage) > 0 {
		call.AwaitMessage()
		h.granted.Set(call, &grant{rule: r, principal: caller})
	}
	return ctx, nil
}

// OnReceive evaluates the conditions that read the request, on every message.
func (h *hook) OnReceive(_ context.Context, call *interceptor.Call, msg any) error {
	g, ok := h.granted.Get(call)
	if !ok {
		return errNoRule
	}
	return evaluate(g.rule.onMessage, &variables{principal: g.principal, method: call.Method(), call: call, request: msg})
}

// OnSend lets every message pass: a policy says nothing about responses.
func (h *hook) OnSend(context.Context, *interceptor.Call, any) error { return nil }
