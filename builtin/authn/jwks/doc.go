// Package jwks fetches the public keys of an issuer, a JSON Web Key Set (RFC 7517),
// and keeps them for package jwt.
//
// # When it fetches
//
// A [Set] has no goroutine of its own and nothing to close: it fetches while it is
// used, one fetch at a time, each in at most the [Timeout].
//
//   - The first use waits for the first fetch. [Set.Refresh] does that at start-up.
//   - When the keys are older than [RefreshEvery], the next use starts a fetch and
//     goes on with the keys there are.
//   - A token with an unknown key id waits for a fetch, in case keys were rotated. A
//     bad signature never causes one.
//
// Between the starts of two fetches lies at least the interval of [MinInterval],
// whatever tokens strangers send. A key that was published one such interval before
// it signs is therefore always found. Nothing is remembered about unknown ids: the
// interval bounds the fetches already, and a memory would let a stranger who presents
// an id before its key has been fetched keep that key out.
//
// # When it fails
//
// Each fetch that succeeds replaces all keys, so that a key the issuer has removed is
// gone. One that fails changes nothing: the last good keys are used until they are
// older than [MaxAge]. Then, and before the first success, every token is answered
// UNAVAILABLE (503), and so is one with an unknown id while the latest fetch has
// failed: it may be good. [OnError] tells operators.
//
// # What it accepts
//
// The URL and every redirect are https and of one host; the response is 200, at most
// 1 MiB and one JSON object without a member twice; there are at most 64 keys. A key
// is used if its kind is RSA of 2048 to 4096 bits, P-256, P-384, P-521 or Ed25519,
// "use" and "key_ops" are absent or say that it verifies signatures, it has an id of
// its own, and it has no private or symmetric part. Others are left out: sets have
// keys for encryption too, and a private key that was published by mistake must not
// stay good because its set was refused. A set without a usable key is a failure.
//
// "alg" binds a key to its algorithm. Without it the curve does, and an RSA key is for
// RS256, or what [RSAAlgorithm] says.
package jwks
