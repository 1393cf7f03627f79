// Package authn finds out who is calling.
//
// The hook made by [New] reads the caller's credential, has a [Verifier] check
// it, and puts the [Principal] it stands for into the call under [Key]. It
// decides in BeforeHandler, before anything of the body has been decoded, and
// does the same on gRPC, REST and net/http. Every call it runs on needs a valid
// credential: scope it with interceptor.When to leave methods open. It says who
// the caller is, not what the caller may do; without an authorization hook after
// it, every authenticated caller may call every method.
//
//   - A [Scheme] says where a credential stands: [Bearer] is
//     "Authorization: Bearer <token>".
//   - A [Verifier] says what a credential is worth. [StaticTokens] is one for
//     development; real ones check signatures or ask an identity provider.
//   - A [Principal] is the immutable answer: subject, issuer, scopes, roles,
//     claims and expiry.
//
// # One credential, one value, one place
//
// A call must carry exactly one Authorization value: one scheme, in any case, and
// one credential of at most [MaxCredential] bytes of the characters of token68
// (RFC 9110 section 11.2). Two values, even equal ones, values joined by a comma,
// an unknown scheme, a scheme without a credential and a credential in a query
// string, a trailer or binary metadata are all refused: where two readers could
// disagree about which credential counts, none does.
//
// # Answers
//
// A refusal is UNAUTHENTICATED (401) with one WWW-Authenticate header per scheme
// and a fixed text that does not say which check failed; operators find the
// reason as the cause of the error. A verifier that could not decide, by its
// status UNAVAILABLE or its own timeout, is UNAVAILABLE (503), so that clients
// keep good credentials. No text of this package repeats a credential or a part
// of one, also where a verifier's error or panic does.
//
// # Expiry
//
// A principal that has expired is refused. The context of streams, and of what
// may be one (plain routes, methods without a descriptor), ends when the
// principal expires; its cause is UNAUTHENTICATED and becomes the status of the
// call. A unary RPC that has begun may finish.
//
// # Order
//
// List it inside of request ids, logs and limits by address, and outside of
// whatever needs the principal.
//
// # Cost and limits
//
// Apart from what the verifier does, a call takes at most two small allocations,
// and a refusal for the form of a credential none; a principal with an expiry adds
// a timer on streams. The hook sees the headers of this service only: whether a proxy has
// added or removed a credential before, it cannot know.
package authn
