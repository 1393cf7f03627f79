// Package policy makes the policy that is written in .proto files, and in Go for
// what has none, the effective policy of every method of a stack.
//
// Who may call a method is written where the method is written:
//
//	import "crosscut/policy/v1/policy.proto";
//
//	service Orders {
//	  option (crosscut.policy.v1.service) = {access: ACCESS_AUTHENTICATED};
//
//	  rpc GetOrder(GetOrderRequest) returns (Order) {
//	    option (crosscut.policy.v1.method) = {scopes: "orders.read"};
//	  }
//	  rpc GetStatus(GetStatusRequest) returns (Status) {
//	    option (crosscut.policy.v1.method) = {access: ACCESS_PUBLIC};
//	  }
//	}
//
// What has no .proto of its own, plain routes and the services of other people, is
// declared where the stack is made. The hooks after this one do the enforcing:
//
//	stack := interceptor.MustNew(
//		logging.New(slog.Default()),
//		policy.New(
//			policy.Service("grpc.health.v1.Health", policy.Public),
//			policy.Route("GET /admin/stats", policy.Roles("admin")),
//		),
//		authn.New(authn.Bearer(verifier)),
//		authz.New(),
//	)
//
// # Deny by default
//
// A method that nobody declared is denied, whatever credential a call carries, and
// keeps a server from starting; the error lists all of them. [DangerouslyAllowUndeclared]
// lets the server start and opens nothing. The decision belongs to the method that
// was resolved: there are no prefixes, wildcards or expressions over paths.
//
// # How requirements add up
//
// A method must satisfy its service's policy and its own: all scopes of both, one
// role of each, every condition, a scheme that both accept, the stricter of two
// limits. A method that sets access replaces all that its service says. Asking for
// schemes, scopes, roles or a condition without saying access implies
// authenticated, because only a caller who is known can satisfy that.
//
// What cannot be meant is refused at start-up, naming the method and the field: an
// empty option, a public or denied method that asks something of its callers, a
// service that is public in its .proto, empty or repeated names, schemes of which
// none is left, limits that are not above zero, and fields and values of a later
// version. There is one truth: a declaration in Go that would replace what a .proto
// says is refused too, unless it has [Override].
//
// # Who enforces it
//
// The hook itself refuses what is denied or undeclared, in BeforeHandler, before
// anybody looks at a credential or reads a body: PERMISSION_DENIED (403), with a fixed
// text; the reason is the cause of the error, for logs. Everything else it hands
// inward under [Key]. Package authn keeps access and schemes, package authz access,
// scopes, roles and conditions. A field that no hook listed after this one enforces
// on a method and transport keeps the server from starting, in a .proto also if this
// hook is not listed at all; an authz hook in an interceptor.When therefore leaves
// nothing open. No hook of this module enforces sizes, timeouts, rates and audit yet:
// options that set them need a hook of the program's own.
//
// # The table
//
// [TableOf] is the effective policy of a running program, [TableOfServices] that of
// descriptors; command crosscut prints the latter and compares it with a golden
// file, so that a review sees every change of who may call what.
//
// # Order and cost
//
// List it inside of request ids and logs, and outside of authentication. Policies are
// computed once per method; a decision takes well below 150 ns and allocates nothing
// beyond the call's room for keys. The hook sees methods that a server registered:
// what is behind a foreign router or mount is one method, named by its pattern.
package policy
