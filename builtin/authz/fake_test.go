package authz_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// conformance is the service that the conformance kit calls.
const conformance = "crosscut.conformance.v1.ConformanceService"

// principals are the callers of the tests by their token.
var principals = map[string]*authn.Principal{
	"reader": authn.NewPrincipal("alice", authn.WithScopes("items.read"), authn.WithIssuer("https://issuer.test"),
		authn.WithClaims(map[string]any{"team": "red", "level": 3.0, "groups": []any{"a", "b"}})),
	"writer": authn.NewPrincipal("bob", authn.WithScopes("items.read", "items.write")),
	"admin":  authn.NewPrincipal("root", authn.WithScopes("items.read", "items.write"), authn.WithRoles("admin")),
}

var verifier = authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) {
	if p, ok := principals[token]; ok {
		return p, nil
	}
	return nil, errors.New("the token is unknown")
})

// everywhere declares the rules for whatever the kit calls.
func everywhere(rules ...policy.Rule) []policy.Option {
	return []policy.Option{
		policy.Service(conformance, rules...),
		policy.Route("POST /plain", rules...),
		policy.Route("*", rules...),
	}
}

// hooks are the three hooks of a guarded server.
func hooks(opts ...policy.Option) []interceptor.Hook {
	return append(outer(opts...), authz.New())
}

func outer(opts ...policy.Option) []interceptor.Hook {
	return []interceptor.Hook{policy.New(opts...), authn.New(authn.Bearer(verifier))}
}

// bearing is a request with a token, or none.
func bearing(token string) interceptortest.Request {
	if token == "" {
		return interceptortest.Request{Message: "hello"}
	}
	return interceptortest.Request{Message: "hello", Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// as is a hook that takes the caller for p, whatever the credential.
func as(p *authn.Principal) interceptor.Hook { return identify{principal: p} }

type identify struct {
	interceptor.Base
	principal *authn.Principal
}

func (identify) Name() string                   { return "identify" }
func (identify) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{authn.Key} }
func (h identify) BeforeHandler(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
	authn.Key.Set(call, h.principal)
	return ctx, nil
}

// run takes one unary call of p through the phases under the rules.
func run(t *testing.T, p *authn.Principal, message any, rules ...policy.Rule) interceptortest.Phases {
	t.Helper()
	call, _ := interceptortest.NewCall(
		interceptortest.WithHooks(policy.New(everywhere(rules...)...), as(p), authz.New()),
		interceptortest.WithMethod(interceptortest.NewMethod("/"+conformance+"/Unary"), ""),
		interceptortest.WithMessage(message))
	return interceptortest.RunPhases(call, nil)
}
