// Package authz decides what callers may do, as the policy of each method says.
//
// The hook made by [New] stands between two others: package policy says what a method
// demands, package authn says who is calling, and this hook compares the two.
//
//	interceptor.New(…, policy.New(), authn.New(…), authz.New(), …)
//
// It enforces access, scopes, roles and condition of crosscut.policy.v1.Policy, the
// same on gRPC, REST and net/http:
//
//   - A public method is open to anybody; no principal is looked at.
//   - Any other method needs a principal in authn.Key. None, or one without a subject,
//     is UNAUTHENTICATED (401), also where no hook reported an error.
//   - The principal must have every scope, and of every set of roles at least one,
//     compared byte by byte.
//   - Every condition must be true.
//
// What is missing is PERMISSION_DENIED (403) with one fixed text; the scope, the role
// or the condition is in the cause of the error, for operators. All of this happens in
// BeforeHandler, before anything of the body has been decoded, except for conditions
// about the message.
//
// # Conditions
//
// A condition is an expression in the Common Expression Language (https://cel.dev)
// whose result is a bool. It can read:
//
//	principal.subject, .issuer, .scheme    string
//	principal.scopes, .roles               list(string)
//	principal.claims                       map(string, dyn): what the verifier knows besides
//	method.name                            string: "/pkg.Service/Method", or the pattern of a route
//	method.service                         string: "pkg.Service", "" on a route
//	method.kind                            string: "unary", "client stream", "server stream", "bidi stream"
//	peer.address, .network                 string: the IP address at the other end of the connection, and "tcp", "unix", …
//	peer.tls                               bool: whether the connection has TLS
//	request                                the method's request message, by the names of the .proto
//
// Behind a proxy the peer is the proxy. The functions are the standard ones without
// regular expressions ("matches"), whose cost depends on text that callers send.
//
// Conditions are compiled and checked against the type of the method's request when
// the server learns of the method. A name that does not exist, a type that does not
// fit, and a result that is not surely a bool keep the server from starting, with
// method, line and column. A claim alone is of any type: write
// "principal.claims.verified == true".
//
// An evaluation that fails, such as one that reads a claim the caller does not have,
// and one that costs more than [MaxCost], is a refusal. Use has(principal.claims.team)
// where a claim may be missing. The reason that operators get names the condition and
// the place, never a value.
//
// # Conditions about messages
//
// A condition that reads request is evaluated on every message the client sends, before
// the handler gets it. Until the first one has passed, a unary handler does not start
// and a stream sends nothing; a message that is refused ends the call, whatever the
// handler does. The principal is the one that BeforeHandler saw. On methods without
// such a condition the hook sees no messages and costs nothing for them. A plain route
// has no request message, so such a condition keeps its server from starting.
//
// # Incomplete stacks
//
// Without policy.New before it the hook makes no stack. Without a hook that provides
// authn.Key the server starts, reports it, and refuses every call of a method that is
// not public. Inside of an interceptor.When, methods outside of it whose policy needs
// this hook are closed. A hook that answers from a cache before this one has decided
// fails the call.
//
// # Cost and limits
//
// A decision about access, scopes and roles takes around 100 ns and no allocation, a
// small condition about a microsecond more. The language is linked into every
// program that imports this package, and makes it about 6 MB larger.
//
// The hook knows nothing about objects, such as who owns the order that a handler is
// going to read: what is not in the request, the principal or the peer is the handler's
// to decide.
package authz
