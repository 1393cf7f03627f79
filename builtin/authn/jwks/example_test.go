package jwks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// An issuer publishes its keys over https; here it runs in the same process.
func ExampleNew() {
	pair := tokentest.Ed25519()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, tokentest.JWKS(pair))
	}))
	defer server.Close()

	keys := jwks.New(server.URL, jwks.Client(server.Client())) // the client trusts the server's certificate
	verifier := jwt.New(keys, jwt.Issuer("https://issuer.test"), jwt.Audience("items-api"))
	hook := authn.New(authn.Bearer(verifier)) // goes into interceptor.New
	_ = hook

	fmt.Println(keys.Refresh(context.Background())) // optional: fail at start-up rather than later
	token := pair.Token(map[string]any{
		"iss": "https://issuer.test", "aud": "items-api", "sub": "alice", "exp": time.Now().Add(time.Hour).Unix(),
	})
	fmt.Println(verifier.Verify(context.Background(), token))

	// Output:
	// <nil>
	// alice of https://issuer.test <nil>
}
