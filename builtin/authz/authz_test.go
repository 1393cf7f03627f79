package authz_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConformance holds the hook to the rules that every hook has to keep, without
// and with conditions on messages.
func TestConformance(t *testing.T) {
	t.Parallel()
	newHook := authz.New
	for name, opts := range map[string][]policy.Option{
		"scopes":    everywhere(policy.Scopes("items.read"), policy.Condition("principal.subject != ''")),
		"condition": onMessages("request.text == 'hello'"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Run(t, newHook, interceptortest.WithRequest(bearing("admin")),
				interceptortest.WithOuter(func() []interceptor.Hook { return outer(opts...) }))
		})
	}
}

// onMessages declares a condition on the request, and for plain routes, which have
// none, that every caller may call.
func onMessages(condition string) []policy.Option {
	return []policy.Option{
		policy.Service(conformance, policy.Condition(condition)),
		policy.Route("POST /plain", policy.Authenticated),
		policy.Route("*", policy.Authenticated),
	}
}

// TestDecision: who may call is the same on every transport; each refusal is paired
// with a caller who gets through.
func TestDecision(t *testing.T) {
	t.Parallel()
	read, admin := policy.Scopes("items.read"), policy.Roles("owner", "admin")
	for _, tt := range []struct {
		name   string
		rules  []policy.Rule
		token  string
		want   codes.Code
		reason string // for operators
	}{
		{"public", []policy.Rule{policy.Public}, "", codes.OK, ""},
		{"stranger", []policy.Rule{policy.Authenticated}, "", codes.Unauthenticated, "no credential"},
		{"anybody known", []policy.Rule{policy.Authenticated}, "reader", codes.OK, ""},
		{"scope", []policy.Rule{read}, "reader", codes.OK, ""},
		{"every scope", []policy.Rule{policy.Scopes("items.read", "items.write")}, "reader", codes.PermissionDenied, `lacks the scope "items.write"`},
		{"both scopes", []policy.Rule{policy.Scopes("items.read", "items.write")}, "writer", codes.OK, ""},
		{"role", []policy.Rule{admin}, "writer", codes.PermissionDenied, `none of the roles "admin", "owner"`},
		{"one role is enough", []policy.Rule{admin}, "admin", codes.OK, ""},
		{"scope without the role", []policy.Rule{read, admin}, "reader", codes.PermissionDenied, "none of the roles"},
		{"condition", []policy.Rule{policy.Condition("principal.subject == 'alice'")}, "reader", codes.OK, ""},
		{"false condition", []policy.Rule{policy.Condition("principal.subject == 'alice'")}, "writer", codes.PermissionDenied, `the condition "principal.subject == 'alice'" is false`},
		{"no such claim", []policy.Rule{policy.Condition("principal.claims.team == 'red'")}, "writer", codes.PermissionDenied, "could not be evaluated: line 1, column 17"},
		{"denied", []policy.Rule{policy.Denied}, "admin", codes.PermissionDenied, "denied to everybody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Each(t, hooks(everywhere(tt.rules...)...), bearing(tt.token), func(t *testing.T, got interceptortest.Result) {
				if got.Code != tt.want || got.Reached != (tt.want == codes.OK) {
					t.Fatalf("code %v, handler reached %v; want %v", got.Code, got.Reached, tt.want)
				}
				checkRefusal(t, got, tt.reason)
			})
		})
	}
}

// checkRefusal looks at what a refused client was told, and at what the operator was.
func checkRefusal(t *testing.T, got interceptortest.Result, reason string) {
	t.Helper()
	if got.Code == codes.OK {
		if got.Call.Denied() {
			t.Error("a call that was answered counts as denied")
		}
		return
	}
	if !got.Call.Denied() || len(got.Reports) > 0 {
		t.Errorf("denied %v, reports %v; want a denied call without reports", got.Call.Denied(), got.Reports)
	}
	if text := got.Call.Err().Error(); !strings.Contains(text, reason) {
		t.Errorf("the operator is told %q, want %q", text, reason)
	}
	if got.Code != codes.PermissionDenied {
		return
	}
	if got.HTTPStatus != 0 && got.HTTPStatus != 403 || got.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("status %d, WWW-Authenticate %q; want 403 without a challenge", got.HTTPStatus, got.Header.Get("WWW-Authenticate"))
	}
	if st := status.Convert(got.Err); st.Message() != "permission denied" || len(st.Details()) > 0 {
		t.Errorf("the client is told %q %v, want the fixed text", st.Message(), st.Details())
	}
}

// TestExactly: scopes and roles are compared byte by byte; nothing is split, folded
// or taken for a part.
func TestExactly(t *testing.T) {
	t.Parallel()
	scopes := []string{"items.readwrite", "items", "Items.Read", "items.read,items.write", "xitems.read", "items.read ", " items.read", "items.read items.write", "items.read\x00", "ⅰtems.read", ""}
	for _, s := range scopes {
		if p := run(t, authn.NewPrincipal("x", authn.WithScopes(s)), nil, policy.Scopes("items.read")); interceptor.StatusOf(p.Err).Code() != codes.PermissionDenied || p.Reached {
			t.Errorf("scope %q passes for items.read: %v", s, p.Err)
		}
	}
	for _, r := range []string{"user admin", "user,admin", "admin ", "Admin", "admins", "adm", `{"admin":true}`, `["admin"]`, ""} {
		if p := run(t, authn.NewPrincipal("x", authn.WithRoles(r)), nil, policy.Roles("admin")); interceptor.StatusOf(p.Err).Code() != codes.PermissionDenied || p.Reached {
			t.Errorf("role %q passes for admin: %v", r, p.Err)
		}
	}
	for _, claims := range []map[string]any{{"roles": "admin"}, {"roles": []any{"admin"}}, {"scope": "items.read"}} {
		p := authn.NewPrincipal("x", authn.WithClaims(claims))
		if got := run(t, p, nil, policy.Roles("admin")); got.Reached {
			t.Errorf("claims %v pass for a role", claims)
		}
		if got := run(t, p, nil, policy.Scopes("items.read")); got.Reached {
			t.Errorf("claims %v pass for a scope", claims)
		}
	}
	both := authn.NewPrincipal("x", authn.WithScopes("items.read"), authn.WithRoles("admin"))
	if p := run(t, both, nil, policy.Scopes("items.read"), policy.Roles("admin")); p.Err != nil || !p.Reached {
		t.Errorf("the right scope and role are refused: %v", p.Err)
	}
}

// TestNobody: no error and no principal is a refusal.
func TestNobody(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*authn.Principal{"nil": nil, "no subject": authn.NewPrincipal("", authn.WithRoles("admin"))} {
		got := run(t, p, nil, policy.Authenticated)
		if st := interceptor.StatusOf(got.Err); st.Code() != codes.Unauthenticated || st.Message() != "a valid credential is required" || got.Reached {
			t.Errorf("%s: %v, reached %v; want UNAUTHENTICATED", name, got.Err, got.Reached)
		}
	}
}

// TestWithoutAuthn: the server starts, says so, and refuses everybody.
func TestWithoutAuthn(t *testing.T) {
	t.Parallel()
	guard := []interceptor.Hook{policy.New(everywhere(policy.Authenticated)...), authz.New()}
	reports := 0
	interceptortest.Each(t, guard, bearing("admin"), func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.Unauthenticated || got.Reached || got.HTTPStatus != 0 && got.HTTPStatus != 401 {
			t.Errorf("code %v, status %d, handler reached %v; want UNAUTHENTICATED: %v", got.Code, got.HTTPStatus, got.Reached, got.Call.Err())
		}
		for _, r := range got.Reports {
			if strings.Contains(r.Error(), "list authn.New(…) before authz.New()") {
				reports++
			}
		}
	})
	if reports != 1 {
		t.Errorf("start-up reported it %d times, want once per hook", reports)
	}
}

// TestWithoutPolicy: alone, or before what it needs, the hook makes no stack.
func TestWithoutPolicy(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]interceptor.Hook{
		"hook authz needs policy, which no hook in the stack provides": {authz.New()},
		"list policy, then authz":                                      {authz.New(), policy.New()},
	} {
		if _, err := interceptor.New(list...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New: %v; want an error with %q", err, name)
		}
	}
}

// TestInsideWhen: a method outside of the When around the hook is closed, because
// nothing enforces its policy there.
func TestInsideWhen(t *testing.T) {
	t.Parallel()
	list := append(outer(everywhere(policy.Scopes("items.read"))...),
		interceptor.When(interceptor.Methods("/"+conformance+"/Unary"), authz.New()))
	stack := interceptor.MustNew(list...)
	inside := stack.Explain(interceptortest.NewMethod("/" + conformance + "/Unary"))
	outside := stack.Explain(interceptortest.NewMethod("/" + conformance + "/ServerStream"))
	if strings.Contains(inside, "closed") || !strings.Contains(outside, "closed") || !strings.Contains(outside, "crosscut.policy.v1.Policy.scopes") {
		t.Errorf("inside:\n%s\noutside:\n%s", inside, outside)
	}
}

// TestCacheBefore: a hook that answers before access has been decided fails the call,
// and one that answers afterwards does not.
func TestCacheBefore(t *testing.T) {
	t.Parallel()
	cache := interceptor.FromFuncs("cache", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return ctx, call.Reply(&pb.UnaryResponse{Text: "cached"})
		},
	})
	for _, tt := range []struct {
		name      string
		condition string
		hooks     func(authz interceptor.Hook) []interceptor.Hook
		want      codes.Code
	}{
		{"before", "true", func(a interceptor.Hook) []interceptor.Hook { return []interceptor.Hook{cache, a} }, codes.Internal},
		{"after", "true", func(a interceptor.Hook) []interceptor.Hook { return []interceptor.Hook{a, cache} }, codes.OK},
		{"after, but before the message", "request.text == ''", func(a interceptor.Hook) []interceptor.Hook { return []interceptor.Hook{a, cache} }, codes.Internal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list := append([]interceptor.Hook{policy.New(policy.Service(conformance, policy.Condition(tt.condition))), as(principals["reader"])}, tt.hooks(authz.New())...)
			call, _ := interceptortest.NewCall(interceptortest.WithHooks(list...))
			got := interceptortest.RunPhases(call, nil)
			if code := interceptor.StatusOf(got.Err).Code(); code != tt.want || got.Reached {
				t.Errorf("%v, handler reached %v; want %v from the cache", got.Err, got.Reached, tt.want)
			}
		})
	}
}

// TestPolicyOfAnotherPlan: a policy that nobody announced at start-up admits nobody.
func TestPolicyOfAnotherPlan(t *testing.T) {
	t.Parallel()
	hook := authz.New()
	call, ctx := interceptortest.NewCall()
	authn.Key.Set(call, principals["admin"])
	for _, p := range []*policy.Policy{nil, {}} {
		policy.Key.Set(call, p)
		if _, err := hook.BeforeHandler(ctx, call, interceptortest.NewMethod("/"+conformance+"/Unary")); interceptor.StatusOf(err).Code() != codes.PermissionDenied {
			t.Errorf("%v; want PERMISSION_DENIED", err)
		}
	}
	pretender := interceptor.FromFuncs("pretender", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			policy.Key.Set(call, &policy.Policy{})
			return ctx, nil
		},
	})
	call, _ = interceptortest.NewCall(interceptortest.WithHooks(policy.New(everywhere(policy.Authenticated)...), pretender, as(principals["admin"]), hook))
	if got := interceptortest.RunPhases(call, nil); interceptor.StatusOf(got.Err).Code() != codes.PermissionDenied || got.Reached {
		t.Errorf("%v, handler reached %v; want PERMISSION_DENIED", got.Err, got.Reached)
	}
}

// TestMustPlan: a hook that provides policy.Key and plans nothing closes every method.
func TestMustPlan(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew(provider{}, authz.New())
	if got := stack.Explain(interceptortest.NewMethod("GET /")); !strings.Contains(got, "closed") || !strings.Contains(got, "list policy.New() before authz.New()") {
		t.Error(got)
	}
}

type provider struct{ interceptor.Base }

func (provider) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{policy.Key} }

// TestUndeclared: where the server may start without, an undeclared method is closed.
func TestUndeclared(t *testing.T) {
	t.Parallel()
	interceptortest.Each(t, hooks(policy.DangerouslyAllowUndeclared()), bearing("admin"), func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.PermissionDenied || got.Reached {
			t.Errorf("code %v, handler reached %v; want PERMISSION_DENIED", got.Code, got.Reached)
		}
	})
}

// TestNotTurnedIntoAccess: an outer hook can replace the answer of a denied call, but
// not reach the handler, and the call stays denied.
func TestNotTurnedIntoAccess(t *testing.T) {
	t.Parallel()
	swallow := interceptor.FromFuncs("swallow", interceptor.Funcs{
		OnError: func(context.Context, *interceptor.Call, error) error { return errors.Join() },
	})
	list := append([]interceptor.Hook{swallow}, hooks(everywhere(policy.Roles("admin"))...)...)
	interceptortest.Each(t, list, bearing("reader"), func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.PermissionDenied || got.Reached || !got.Call.Denied() {
			t.Errorf("code %v, handler reached %v, denied %v; want a denied call", got.Code, got.Reached, got.Call.Denied())
		}
	})
}

// TestTwoIdentities: a hook that identifies another caller further in changes nothing
// about the one that an outer authz has agreed to, for messages either.
func TestTwoIdentities(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]codes.Code{"alice": codes.OK, "root": codes.PermissionDenied} {
		call, _ := interceptortest.NewCall(
			interceptortest.WithHooks(policy.New(everywhere(policy.Condition("request.text == principal.subject || 'admin' in principal.roles && request.text != ''"))...),
				as(principals["reader"]), interceptor.As("first", authz.New()), as2(principals["admin"]), interceptor.As("second", authz.New())),
			interceptortest.WithMethod(interceptortest.NewMethod("/"+conformance+"/Unary"), ""),
			interceptortest.WithMessage(&pb.UnaryRequest{Text: text}))
		if got := interceptortest.RunPhases(call, nil); interceptor.StatusOf(got.Err).Code() != want || got.Reached != (want == codes.OK) {
			t.Errorf("%s: %v, handler reached %v; want %v", text, got.Err, got.Reached, want)
		}
	}
}

func as2(p *authn.Principal) interceptor.Hook { return interceptor.As("identify again", as(p)) }
