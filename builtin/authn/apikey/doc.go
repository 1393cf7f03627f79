// Package apikey authenticates callers by API keys: long random strings that a
// service hands out, and keeps only a digest of.
//
//	key, record := apikey.Generate("shop", authn.NewPrincipal("svc-1", authn.WithScopes("items.read")))
//	// show key to its owner once, and keep record
//	hook := authn.New(apikey.New(apikey.Static(record)))
//
// # Keys
//
// A key is "<id>_<secret>", split at its last underscore:
//
//	shop_7k2m4q6vxa3e_MZQX4LFA2PIDLWBQNZ7CVB3LOM
//	└────── id ─────┘ └───────── secret ────────┘
//
// The id is public: it may stand in logs and tables, names the record of the key,
// and begins with a prefix by which people and secret scanners recognise whose key
// it is. It is 1 to 64 letters, digits, dashes, dots and underscores. The secret is
// letters and digits; [Generate] makes one of 130 random bits. Both are compared byte
// by byte, upper and lower case included.
//
// What is stored is the SHA-256 of the whole key. A plain hash is enough, because a
// secret of that length cannot be guessed; passwords, which people choose, are for
// package basic.
//
// # Checks
//
// A key arrives as the only value of one header, [DefaultHeader] unless [Header] says
// otherwise, and is checked with one look-up by its id, one SHA-256 and one comparison
// in constant time. Unknown ids cost the same, so that time does not tell which ids
// exist. Wrong keys are refused as package authn says. A [Store] that fails is
// UNAVAILABLE (503), not a refusal: clients keep good keys.
//
// A principal's expiry ends the key; removing or replacing a record ends it with the
// next call. Nothing is cached.
//
// # Cost
//
// About a microsecond and a few small allocations besides the store.
package apikey
