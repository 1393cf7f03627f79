package hostile_test

import (
	"maps"
	"sync"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/apikey"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// What the service expects of tokens.
const (
	issuer   = "https://issuer.test"
	audience = "items-api"
)

// claims are good ones for an hour, with changes; nil leaves one out.
func claims(changes map[string]any) map[string]any {
	now := time.Now().Unix()
	all := map[string]any{"iss": issuer, "aud": audience, "sub": "alice", "iat": now, "exp": now + 3600, "scope": "items.read"}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

// The tokens of the three callers.
var (
	reader = sync.OnceValue(func() string { return tokentest.RSA().Token(claims(nil)) })
	writer = sync.OnceValue(func() string {
		return tokentest.ECDSA().Token(claims(map[string]any{"sub": "bob", "scope": "items.read items.write"}))
	})
	admin = sync.OnceValue(func() string {
		return tokentest.Ed25519().Token(claims(map[string]any{"sub": "root", "scope": "items.read items.write", "roles": []string{"admin"}}))
	})
)

// bearer is the header field of a token.
func bearer(token string) string { return "authorization: Bearer " + token }

// serviceKey is the API key of the caller svc-1, and its record.
var serviceKey = sync.OnceValues(func() (string, apikey.Record) {
	return apikey.Generate("items", authn.NewPrincipal("svc-1", authn.WithScopes("items.read")))
})

// keys are those of the issuer.
func keys() jwt.KeySet {
	var all []jwt.Key
	for _, k := range []tokentest.Key{tokentest.RSA(), tokentest.ECDSA(), tokentest.Ed25519()} {
		all = append(all, jwt.Key{ID: k.ID, Algorithm: k.Algorithm, Public: k.Public()})
	}
	return jwt.Keys(all...)
}

// verifier is that of the service.
func verifier(set jwt.KeySet, opts ...jwt.Option) authn.Verifier {
	return jwt.New(set, append([]jwt.Option{jwt.Issuer(issuer), jwt.Audience(audience), jwt.Algorithms("RS256", "ES256", "EdDSA")}, opts...)...)
}
