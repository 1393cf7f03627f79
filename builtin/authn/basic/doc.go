// Package basic authenticates callers by user id and password, as RFC 7617 sends
// them: "Authorization: Basic <base64 of id:password>".
//
//	hash, err := basic.Hash("correct horse battery staple")
//	hook := authn.New(basic.New(basic.Static(map[string]basic.User{"alice": {Hash: hash}})))
//
// It is for people at browsers and small tools. Services are better served by keys
// (package apikey), certificates (package mtls) or tokens. The password travels with
// every call, so every hop needs TLS.
//
// # What is accepted
//
// Padded base64 of UTF-8 without control characters, a user id of 1 to 255 bytes
// without a colon, and a password of 1 to 72 bytes: bcrypt reads no further, and a
// longer password is refused before anything is hashed. Ids and passwords are compared
// byte by byte and not normalised.
//
// # Hashes
//
// Users are stored with the bcrypt hash of their password; [Hash] makes one. At
// most max(1, GOMAXPROCS/2) hashes are computed at once in the whole process,
// so that guessing cannot take the service down; a call beyond that is answered
// RESOURCE_EXHAUSTED (429). Limits per address belong outside of this hook all the
// same: a stranger's guesses and a user's first call compete for the same hashes.
//
// A password that was right is remembered for five minutes, see [Remember], as an
// HMAC-SHA-256 under a key that this process made at start and keeps to itself. A
// user whose hash changes, or who is removed, is not remembered: every call looks the
// user up. At most 10,000 are remembered.
//
// An unknown user costs a hash as a known one does, of the cost that the last known
// user's hash has, so that time does not tell who exists. If stored hashes have
// different costs it may tell them apart; rehash them.
//
// A [Store] that fails is UNAVAILABLE (503), not a refusal.
package basic
