package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/interceptor"
	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// publicRefusal is what clients are told, the same for a method that nobody declared
// and for one that is denied: the difference is nobody's business but the operator's.
const publicRefusal = "permission denied"

// New returns the hook that refuses methods nobody declared and methods that are
// denied, and hands the policy of all others inward under [Key]. Without options it
// knows what .proto files say; [Method], [Service] and [Route] declare the policy of
// the rest. It works on every transport; list it once, before authentication.
//
// A server whose stack has it does not start as long as a method is undeclared, or
// has a policy that is empty or contradicts itself, or asks for something that no
// hook listed after it enforces; the error lists all of them. New panics for two
// declarations of one name.
func New(opts ...Option) interceptor.Hook {
	h := &hook{}
	h.config = newConfig(opts)
	h.guard = interceptor.PerMethod(h.guardOf)
	return h
}

type hook struct {
	interceptor.Base
	config config
	guard  func(*interceptor.Method) *guard
}

// guard is what the hook does about one method, computed once.
type guard struct {
	policy  *Policy
	err     error // why there is no policy; errUndeclared if that is all
	refusal error // what callers get, nil if they may pass
}

var (
	_ interceptor.Named         = (*hook)(nil)
	_ interceptor.Provider      = (*hook)(nil)
	_ interceptor.Decider       = (*hook)(nil)
	_ interceptor.Enforcer      = (*hook)(nil)
	_ interceptor.Demander      = (*hook)(nil)
	_ interceptor.MethodChecker = (*hook)(nil)
)

// Name returns "policy".
func (h *hook) Name() string { return "policy" }

// Provides returns [Key].
func (h *hook) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{Key} }

// Decides marks the hook as one that decides access.
func (h *hook) Decides() {}

// Enforces returns the two options, which this hook reads. Who enforces their
// fields is asked by Demands.
func (h *hook) Enforces() []protoreflect.FullName {
	return []protoreflect.FullName{
		policyv1.E_Method.TypeDescriptor().FullName(),
		policyv1.E_Service.TypeDescriptor().FullName(),
	}
}

// Demands returns the fields that hooks further in must enforce: also those that
// were declared in Go, which no descriptor tells.
func (h *hook) Demands(method *interceptor.Method) []protoreflect.FullName {
	return h.guard(method).policy.demands()
}

// CheckMethod refuses methods without a valid policy.
func (h *hook) CheckMethod(method *interceptor.Method) error {
	err := h.guard(method).err
	if errors.Is(err, errUndeclared) && h.config.allowUndeclared {
		slog.Warn("policy: DangerouslyAllowUndeclared let a server start with a method that nobody declared; every call of it is denied", "method", method.Name())
		return nil
	}
	return err
}

// BeforeHandler refuses the call before anybody looks at a credential, or hands the
// policy inward.
func (h *hook) BeforeHandler(ctx context.Context, call *interceptor.Call, method *interceptor.Method) (context.Context, error) {
	g := h.guard(method)
	if g.refusal != nil {
		return nil, g.refusal
	}
	Key.Set(call, g.policy)
	return ctx, nil
}

func (h *hook) guardOf(method *interceptor.Method) *guard {
	g := &guard{}
	g.policy, g.err = h.config.resolve(targetOf(method))
	switch {
	case g.err != nil:
		g.refusal = refuse(fmt.Errorf("policy: %s: %w", method.Name(), g.err))
	case g.policy.Access() == AccessDenied:
		g.refusal = refuse(fmt.Errorf("policy: %s: it is denied to everybody", method.Name()))
	}
	return g
}

func refuse(cause error) error {
	return interceptor.NewError(codes.PermissionDenied, publicRefusal, interceptor.WithCause(cause))
}
