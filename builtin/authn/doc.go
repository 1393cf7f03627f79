// Package authn finds out who is calling.
//
// The hook made by [New] reads the caller's credential, has a [Verifier] check
// it, and puts the [Principal] it stands for into the call under [Key]. It
// decides in BeforeHandler, before anything of the body has been decoded, and
// does the same on gRPC, REST and net/http. It says who the caller is, not what the
// caller may do; where no hook further in decides that, it warns once when a server
// learns of its methods, because every authenticated caller may call every method.
//
//   - A [Scheme] says where a credential stands: [Bearer] is
//     "Authorization: Bearer <token>", [Header] a header of its own, [Certificate]
//     the TLS connection. Packages apikey, basic and mtls make complete schemes.
//   - A [Verifier] says what a credential is worth. [StaticTokens] is one for
//     development; packages jwt and oidc have those that check signatures.
//   - A [Principal] is the immutable answer: subject, issuer, scopes, roles,
//     claims and expiry.
//
// # One credential, one value, one place
//
// A call must carry exactly one credential of the listed schemes: at most
// [MaxCredential] bytes of the characters of token68 (RFC 9110 section 11.2) as the
// only value of its header, or a verified client certificate. Two values, even equal
// ones, values joined by a comma, credentials in two places, an empty value, an
// unknown scheme in Authorization and a scheme without a credential are all refused:
// where two readers could disagree about which credential counts, none does. What
// stands in a query string, a trailer, binary metadata or Grpc-Metadata- headers is
// not read, and neither is a certificate or a header whose scheme is not listed.
//
// A token over a connection with a client certificate is two credentials where the
// scheme of certificates is listed; [YieldToOthers] is for meshes, in which every
// connection has one.
//
// # Policy
//
// Listed after the hook of package policy, it reads the policy of the method: on a
// public method credentials are not examined and nobody is the principal, and a
// scheme that the policy does not accept is refused before its verifier runs. Without
// a policy every call it runs on needs a valid credential; scope it with
// interceptor.When to leave methods open. What the policy asks of the principal is
// for an authorization hook.
//
// # Answers
//
// A refusal is UNAUTHENTICATED (401) with one WWW-Authenticate header per scheme
// and a fixed text that does not say which check failed; operators find the
// reason as the cause of the error. A verifier that could not decide, by its
// status UNAVAILABLE or its own timeout, is UNAVAILABLE (503), so that clients
// keep good credentials; one that has too much to do, by RESOURCE_EXHAUSTED, is that
// (429, Retry-After). No text of this package repeats a credential or a part
// of one, also where a verifier's error or panic does.
//
// # Expiry
//
// A principal that has expired is refused. The context of streams, and of what
// may be one (plain routes, methods without a descriptor), ends when the
// principal expires; its cause is UNAUTHENTICATED and becomes the status of the
// call. A plain handler that has flushed its response cannot go on then. A unary RPC
// whose message has arrived may finish; one whose client held the message back is refused.
//
// # Order
//
// List it inside of request ids, logs, limits by address and the policy, and outside
// of whatever needs the principal.
//
// # Cost and limits
//
// Apart from what the verifier does, a call takes at most two small allocations,
// and a refusal for the form of a credential none; a principal with an expiry adds
// another one, and a timer on streams. The hook sees the headers of this service only: whether a proxy has
// added or removed a credential before, it cannot know.
package authn
