package jwt_test

import (
	"context"
	"fmt"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// Tokens of an issuer whose key is known when the program starts. Use package jwks for
// one that publishes its keys.
func ExampleNew() {
	pair := tokentest.Ed25519() // the issuer's; only the public half is needed here
	keys := jwt.Keys(jwt.Key{ID: "k3", Algorithm: "EdDSA", Public: pair.Public()})
	verifier := jwt.New(keys, jwt.Issuer("https://issuer.test"), jwt.Audience("items-api"))
	hook := authn.New(authn.Bearer(verifier)) // goes into interceptor.New
	_ = hook

	token := pair.Token(map[string]any{
		"iss": "https://issuer.test", "aud": "items-api", "sub": "alice", "scope": "items.read",
		"exp": time.Now().Add(time.Hour).Unix(),
	})
	p, err := verifier.Verify(context.Background(), token)
	fmt.Println(p, p.HasScope("items.read"), err)

	replayed := pair.Token(map[string]any{
		"iss": "https://issuer.test", "aud": "other-api", "sub": "alice",
		"exp": time.Now().Add(time.Hour).Unix(),
	})
	_, err = verifier.Verify(context.Background(), replayed)
	fmt.Println(err)

	// Output:
	// alice of https://issuer.test true <nil>
	// jwt: the token is for another audience, or for none
}
