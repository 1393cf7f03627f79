package policy

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Option declares policy in Go, or changes what [New] does.
type Option interface{ apply(*config) }

type option func(*config)

func (f option) apply(c *config) { f(c) }

// config is what the options say. It does not change after newConfig.
type config struct {
	methods, services, routes map[string]*block
	allowUndeclared           bool
}

func newConfig(opts []Option) config {
	c := config{methods: map[string]*block{}, services: map[string]*block{}, routes: map[string]*block{}}
	for _, o := range opts {
		o.apply(&c)
	}
	return c
}

// Method declares the policy of one RPC: "/pkg.Service/Method", or "grpc:*" for
// the handler of unknown services that a program installed itself. As in a .proto,
// rules without [Public], [Authenticated] or [Denied] add to those of the service,
// and rules with one replace them. Who may call is written in one place: where the
// .proto has a policy that the declaration would replace, the server does not start,
// unless [Override] is among the rules. Method panics for another form of name, and
// for rules that are empty, repeated or contradictory.
func Method(name string, rules ...Rule) Option {
	origin := fmt.Sprintf("policy.Method(%q)", name)
	service, method, ok := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if name != unknownServices && (!ok || name[0] != '/' || method == "" || service == "" || strings.Contains(method, "/")) {
		panic(fmt.Sprintf(`%s: write an RPC as "/pkg.Service/Method", and routes with policy.Route`, origin))
	}
	b := declare(origin, rules)
	return option(func(c *config) { add(c.methods, name, b) })
}

// Service declares the policy of every RPC of a service, such as
// "grpc.health.v1.Health": one whose .proto belongs to somebody else. It may be
// [Public], which a .proto cannot say of a service, because methods that a later
// version adds are open then too. Service panics as [Method] does.
func Service(name string, rules ...Rule) Option {
	origin := fmt.Sprintf("policy.Service(%q)", name)
	if !protoreflect.FullName(name).IsValid() {
		panic(fmt.Sprintf(`%s: write the full name of the service, such as "grpc.health.v1.Health"`, origin))
	}
	b := declare(origin, rules)
	return option(func(c *config) { add(c.services, name, b) })
}

// Route declares the policy of one plain HTTP route, named exactly by the pattern it
// is registered with, such as "GET /admin/stats". A handler that was wrapped as a
// whole is "*". There are no wildcards other than those of the pattern itself, and no
// route inherits from another. The pattern is all there is to a route's name: the same
// one on another mux, also behind a prefix that is stripped, has the same policy.
// Route panics for an empty pattern and otherwise as [Method] does.
func Route(pattern string, rules ...Rule) Option {
	origin := fmt.Sprintf("policy.Route(%q)", pattern)
	switch pattern {
	case "":
		panic(origin + `: write the pattern as it is registered, such as "GET /admin/stats"`)
	case unknownServices:
		panic(fmt.Sprintf("%s: this is not a route; write policy.Method(%q)", origin, pattern))
	}
	b := declare(origin, rules)
	if b.override {
		panic(origin + ": Override replaces what a .proto says, and a route has none; leave it out")
	}
	return option(func(c *config) { add(c.routes, pattern, b) })
}

// DangerouslyAllowUndeclared lets a server start although it has methods that nobody
// declared, and logs a warning for each of them. It opens nothing: calls of such a
// method are still answered PERMISSION_DENIED (403). It is for moving a large service
// to policies step by step.
func DangerouslyAllowUndeclared() Option {
	return option(func(c *config) { c.allowUndeclared = true })
}

// unknownServices is the method that stands for a user's own handler of unknown
// services.
const unknownServices = "grpc:*"

func add(to map[string]*block, name string, b *block) {
	if to[name] != nil {
		panic(fmt.Sprintf("policy.New: %s is declared twice; put all of its rules into one declaration", b.origin))
	}
	to[name] = b
}

// declare makes the block of a declaration in Go, which can be checked at once.
func declare(origin string, rules []Rule) *block {
	b := &block{origin: origin}
	for _, r := range rules {
		if r == nil {
			panic(origin + ": a rule is nil; leave it out")
		}
		r.apply(b)
	}
	if err := b.check(); err != nil {
		panic(err.Error())
	}
	return b
}
