package jwks

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/strictjson"
)

const (
	maxKeys  = 64
	maxDepth = 8
)

// parse reads a key set and returns the usable keys by their ids. It fails if there is
// none.
func parse(text, rsaAlgorithm string) (map[string]jwt.Key, error) {
	document, err := strictjson.Object(text, maxDepth)
	if err != nil {
		return nil, fmt.Errorf("jwks: the key set is unreadable: %w", err)
	}
	members, ok := document["keys"].([]any)
	if !ok {
		return nil, errors.New("jwks: the document has no array \"keys\", so it is no key set; check the URL")
	}
	if len(members) > maxKeys {
		return nil, fmt.Errorf("jwks: the key set has %d keys; at most %d are looked at", len(members), maxKeys)
	}
	keys := make(map[string]jwt.Key, len(members))
	ambiguous := map[string]bool{}
	reason := errNoKey
	for _, member := range members {
		k, err := readKey(member, rsaAlgorithm)
		if err != nil {
			reason = err
			continue
		}
		if first, twice := keys[k.ID]; twice && !first.Equal(k) {
			ambiguous[k.ID] = true
		}
		keys[k.ID] = k
	}
	// Two keys of one id: whichever were taken, the issuer may mean the other.
	maps.DeleteFunc(keys, func(id string, _ jwt.Key) bool { return ambiguous[id] })
	if len(ambiguous) > 0 {
		reason = errAmbiguous
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("jwks: none of the %d keys in the key set is usable: %w", len(members), reason)
	}
	return keys, nil
}

var (
	errNoKey     = errors.New("there is none")
	errNotObject = errors.New("a key is not an object")
	errSecret    = errors.New("a key is symmetric or private; the issuer has published a secret and must replace the key")
	errUse       = errors.New("a key is not for verifying signatures")
	errForm      = errors.New("a key is of an unknown kind or has members that are missing or wrong")
	errAmbiguous = errors.New("two keys have one id")
)

// secrets are the members that only symmetric and private keys have.
var secrets = []string{"k", "d", "p", "q", "dp", "dq", "qi", "oth", "priv"}

// public are the members that a public key of the accepted kinds is made of. The
// others, certificates above all, are not even parsed.
var public = []string{"kty", "crv", "x", "y", "n", "e"}

// readKey reads one key and refuses it unless it is for verifying signatures.
func readKey(member any, rsaAlgorithm string) (jwt.Key, error) {
	fields, ok := member.(map[string]any)
	if !ok {
		return jwt.Key{}, errNotObject
	}
	if fields["kty"] == "oct" || slices.ContainsFunc(secrets, func(name string) bool { _, has := fields[name]; return has }) {
		return jwt.Key{}, errSecret
	}
	if !verifies(fields) {
		return jwt.Key{}, errUse
	}
	part := make(map[string]any, len(public))
	for _, name := range public {
		if value, has := fields[name]; has {
			part[name] = value
		}
	}
	text, err := json.Marshal(part)
	if err != nil {
		return jwt.Key{}, errForm
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(text); err != nil || !parsed.Valid() || !parsed.IsPublic() {
		return jwt.Key{}, errForm
	}
	k := jwt.Key{Public: parsed.Key, Algorithm: algorithm(parsed.Key, rsaAlgorithm)}
	k.ID, _ = fields["kid"].(string)
	if alg, has := fields["alg"]; has {
		k.Algorithm, _ = alg.(string)
	}
	return k, k.Validate()
}

// verifies tells whether use and key_ops (RFC 7517 sections 4.2 and 4.3) allow
// signatures to be verified with a key.
func verifies(fields map[string]any) bool {
	if use, has := fields["use"]; has && use != "sig" {
		return false
	}
	ops, has := fields["key_ops"]
	if !has {
		return true
	}
	all, _ := ops.([]any)
	return slices.Contains(all, any("verify"))
}

// algorithm returns what a key is for that does not say so itself.
func algorithm(key any, rsaAlgorithm string) string {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		switch key.Params().BitSize {
		case 256:
			return "ES256"
		case 384:
			return "ES384"
		}
		return "ES512"
	case ed25519.PublicKey:
		return "EdDSA"
	}
	return rsaAlgorithm
}

// equal tells whether two sets have the same keys.
func equal(a, b map[string]jwt.Key) bool {
	return maps.EqualFunc(a, b, jwt.Key.Equal)
}
