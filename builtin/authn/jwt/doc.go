// Package jwt verifies JSON Web Tokens (RFC 7519) signed by one issuer for one
// service.
//
// [New] makes the [Verifier] for authn.Bearer, out of a [KeySet], the [Issuer] and
// the [Audience]. The keys are those of package jwks, which fetches them, or of
// [Keys], which are written into the program. Package oidc finds all of it out from
// the issuer's name.
//
// # What a token must be
//
// Everything that two readers could understand differently is refused, before any
// signature is checked:
//
//   - at most [MaxToken] bytes: three non-empty parts in the only spelling
//     base64url has for them (RFC 7515 section 3.1, RFC 4648 section 3.5);
//   - a header of at most 2 KiB that is one JSON object, four levels deep at
//     most, without two members of one name, in any case;
//   - alg one of those accepted ([Algorithms]) and that of the key; none and HS256
//     are no algorithms here, so a token cannot choose how it is checked;
//   - kid present: 1 to 128 printable characters, compared byte by byte;
//   - no crit, b64, zip, jwk, jku, x5c and x5u: a token brings no key, and no
//     extension that would have to be understood;
//   - typ absent or one of [Types]. A logout token is no access token.
//
// The signature is checked by go-jose with the one key that has that id. Then the
// claims are read, by the same strictness: valid UTF-8, no member twice in any
// object, numbers within ±2^53 (larger integers have no exact value in most
// readers; issuers send them as text).
//
//   - iss is the issuer, aud is the audience or an array of texts with it, byte by
//     byte;
//   - sub is there: at most 255 bytes without control characters;
//   - exp is there and not past, nbf and iat are not ahead, all with one allowance
//     for clocks that differ ([Skew]);
//   - the token lives no longer than [MaxLifetime].
//
// # The principal
//
// Its subject and issuer are sub and iss, its expiry is exp and the skew, and all
// claims can be read with Claim. Scopes come from the claim "scope" (RFC 8693
// section 4.2) or, where there is none, from "scp": a text is split at blanks, an
// array of texts is taken as it is. Roles come from "roles", an array of texts and
// nothing else: a text with commas or blanks in it stands for no role. See [Scopes]
// and [Roles] for other claims.
//
// # Cost
//
// A verified token is remembered under its SHA-256 (see [CacheSize]), so that only
// its first call pays for the signature: under one microsecond instead of 30 to 90.
// It is forgotten at exp, after five minutes, and as soon as the key set changes or
// runs out. Refused tokens are not remembered.
//
// # Errors
//
// Clients learn nothing but what package authn tells them. The cause that operators
// see names the rule and never a part of the token. An error of the [KeySet] that
// says UNAVAILABLE stays so: the caller's token may be good.
package jwt
