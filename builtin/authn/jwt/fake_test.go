package jwt_test

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

const (
	issuer   = "https://issuer.test"
	audience = "items-api"
)

// keySet has a key of every kind.
func keySet() jwt.KeySet {
	var keys []jwt.Key
	for _, k := range []tokentest.Key{tokentest.RSA(), tokentest.ECDSA(), tokentest.Ed25519()} {
		keys = append(keys, jwt.Key{ID: k.ID, Algorithm: k.Algorithm, Public: k.Public()})
	}
	return jwt.Keys(keys...)
}

// verifier is what the tests of hostile tokens attack.
func verifier(opts ...jwt.Option) *jwt.Verifier {
	return jwt.New(keySet(), append([]jwt.Option{jwt.Issuer(issuer), jwt.Audience(audience)}, opts...)...)
}

// claims are good ones with changes: a nil value removes the claim, and every other one
// replaces it.
func claims(changes map[string]any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{"iss": issuer, "aud": audience, "sub": "alice", "iat": now, "exp": now + 3600, "scope": "items.read"}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// text is the JSON of good claims.
func text(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
