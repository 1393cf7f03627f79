package policy

import (
	"fmt"
	"slices"
)

// Rule is one requirement of a declaration in Go: an [Access], or what [Schemes],
// [Scopes], [Roles] and [Condition] return. Rules of a declaration add up, each kind
// may be given once, and asking for anything about the caller without an Access
// implies [Authenticated] unless the service says more.
type Rule interface{ apply(*block) }

// What a declaration can say about who may call at all.
const (
	Public        = AccessPublic        // anybody; credentials are not looked at
	Authenticated = AccessAuthenticated // callers with a valid credential
	Denied        = AccessDenied        // nobody
)

func (a Access) apply(b *block) {
	if a == AccessUndeclared || a > AccessDenied {
		panic(fmt.Sprintf("%s: write policy.Public, policy.Authenticated or policy.Denied", b.origin))
	}
	b.once("access", b.access != AccessUndeclared)
	b.access = a
}

type rule func(*block)

func (f rule) apply(b *block) { f(b) }

// Schemes asks that one of the authentication schemes, in lower case such as
// "bearer" or "mtls", has identified the caller. Without it every scheme that the
// server knows will do.
func Schemes(anyOf ...string) Rule {
	return list("schemes", anyOf, func(b *block) *[]string { return &b.schemes })
}

// Scopes asks that the caller has all of the scopes, compared byte by byte.
func Scopes(allOf ...string) Rule {
	return list("scopes", allOf, func(b *block) *[]string { return &b.scopes })
}

// Roles asks that the caller has at least one of the roles, compared byte by byte.
func Roles(anyOf ...string) Rule {
	return list("roles", anyOf, func(b *block) *[]string { return &b.roles })
}

// Condition asks that an expression in the Common Expression Language over
// principal, request, method and peer is true. The authorization hook compiles it at
// start-up. On plain routes it cannot read request.
func Condition(expression string) Rule {
	return rule(func(b *block) {
		b.once("condition", b.condition != "")
		if expression == "" {
			panic(b.origin + ": the condition is empty; write an expression, or leave it out")
		}
		b.condition = expression
	})
}

// Override lets a declaration take the place of what the .proto says. Given to
// [Method] it drops the option of the method, and with an [Access] that of its
// service; given to [Service] it drops the option of the service and leaves those of
// its methods. Where the .proto says nothing, the server does not start: the
// declaration would hide an option that is written later.
func Override() Rule {
	return rule(func(b *block) {
		b.once("override", b.override)
		b.override = true
	})
}

func list(field string, values []string, of func(*block) *[]string) Rule {
	values = slices.Clone(values)
	return rule(func(b *block) {
		to := of(b)
		b.once(field, *to != nil)
		if len(values) == 0 {
			panic(fmt.Sprintf("%s: %s is empty; name at least one, or leave the rule out", b.origin, field))
		}
		*to = values
	})
}

// once panics for a rule that is given twice: whether both or either were meant would
// be a guess.
func (b *block) once(field string, given bool) {
	if given {
		panic(fmt.Sprintf("%s: %s is given twice; write it once", b.origin, field))
	}
}
