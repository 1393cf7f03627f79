package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestMisusePanics: what could not mean anything is said where it is written.
func TestMisusePanics(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func()
		want string
	}{
		{"method without a slash", func() { policy.Method("a.S", policy.Public) }, `policy.Method("a.S"): write an RPC as`},
		{"method without the first slash", func() { policy.Method("a.S/M", policy.Public) }, "write an RPC as"},
		{"method with two names", func() { policy.Method("/a.S/M/N", policy.Public) }, "write an RPC as"},
		{"method of no service", func() { policy.Method("//M", policy.Public) }, "write an RPC as"},
		{"no method", func() { policy.Method("/a.S/", policy.Public) }, "write an RPC as"},
		{"empty method", func() { policy.Method("", policy.Public) }, "write an RPC as"},
		{"route as a method", func() { policy.Method("*", policy.Public) }, "routes with policy.Route"},
		{"service with a slash", func() { policy.Service("/a.S", policy.Public) }, `policy.Service("/a.S"): write the full name`},
		{"services by a wildcard", func() { policy.Service("a.*", policy.Public) }, "write the full name"},
		{"empty service", func() { policy.Service("", policy.Public) }, "write the full name"},
		{"empty route", func() { policy.Route("", policy.Public) }, "write the pattern as it is registered"},
		{"unknown services as a route", func() { policy.Route("grpc:*", policy.Public) }, `write policy.Method("grpc:*")`},
		{"override of a route", func() { policy.Route("/", policy.Public, policy.Override()) }, "a route has none"},
		{"no rules", func() { policy.Route("/") }, `policy.Route("/"): access: the policy is empty`},
		{"override alone", func() { policy.Method("/a.S/M", policy.Override()) }, "the policy is empty"},
		{"nil rule", func() { policy.Route("/", nil) }, "a rule is nil"},
		{"undeclared", func() { policy.Route("/", policy.AccessUndeclared) }, "write policy.Public, policy.Authenticated or policy.Denied"},
		{"unknown access", func() { policy.Route("/", policy.Access(9)) }, "write policy.Public, policy.Authenticated or policy.Denied"},
		{"two accesses", func() { policy.Route("/", policy.Public, policy.Denied) }, "access is given twice"},
		{"scopes twice", func() { policy.Route("/", policy.Scopes("a"), policy.Scopes("b")) }, "scopes is given twice"},
		{"condition twice", func() { policy.Route("/", policy.Condition("a"), policy.Condition("b")) }, "condition is given twice"},
		{"override twice", func() { policy.Method("/a.S/M", policy.Override(), policy.Override()) }, "override is given twice"},
		{"no schemes", func() { policy.Route("/", policy.Schemes()) }, "schemes is empty"},
		{"no scopes", func() { policy.Route("/", policy.Scopes()) }, "scopes is empty"},
		{"no roles", func() { policy.Route("/", policy.Roles()) }, "roles is empty"},
		{"empty role", func() { policy.Route("/", policy.Roles("")) }, "roles: one of them is empty"},
		{"empty condition", func() { policy.Route("/", policy.Condition("")) }, "the condition is empty"},
		{"public with a scope", func() { policy.Route("/", policy.Public, policy.Scopes("a")) }, "scopes: access is public"},
		{"denied with a role", func() { policy.Service("a.S", policy.Denied, policy.Roles("a")) }, "roles: access is denied"},
		{"declared twice", func() {
			policy.New(policy.Route("/", policy.Public), policy.Route("/", policy.Public))
		}, `policy.New: policy.Route("/") is declared twice`},
		{"the table of another hook", func() { policy.TableOf(interceptor.Base{}) }, "pass the hook that policy.New returned"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), test.want) {
					t.Errorf("panicked with %v, want %q", r, test.want)
				}
			}()
			test.do()
		})
	}
}

// TestDeclarationsAreCopies: a slice that a program goes on using changes no policy.
func TestDeclarationsAreCopies(t *testing.T) {
	t.Parallel()
	scopes := []string{"orders.write"}
	opt := policy.Method("/a.S/M", policy.Scopes(scopes...))
	scopes[0] = "orders.read"
	method := interceptortest.NewMethod("/a.S/M")
	got := policy.TableOf(policy.New(opt), method).Rows[0]
	got.Scopes[0] = "none"
	if again := policy.TableOf(policy.New(opt), method).Rows[0].Scopes[0]; again != "orders.write" {
		t.Errorf("the scope is %q, want orders.write", again)
	}
}

// TestUnknownServices: the handler that a program installed for unknown services is a
// method with a name of its own.
func TestUnknownServices(t *testing.T) {
	t.Parallel()
	hook := policy.New(policy.Method("grpc:*", policy.Denied), policy.Route("*", policy.Public))
	table := policy.TableOf(hook, interceptortest.NewMethod("*"))
	if got := table.Rows[0].Access; got != "public" || len(table.Unused) != 1 || table.Unused[0] != `policy.Method("grpc:*")` {
		t.Errorf("got %+v, want the route public and the method unused", table)
	}
}
