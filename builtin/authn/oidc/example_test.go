package oidc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/oidc"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// A provider has a discovery document and keys, both over https; here it runs in the
// same process.
func ExampleNew() {
	pair := tokentest.Ed25519()
	mux := http.NewServeMux()
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	issuer := server.URL
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": issuer, "jwks_uri": issuer + "/keys", "id_token_signing_alg_values_supported": []string{"EdDSA"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, tokentest.JWKS(pair))
	})

	verifier, err := oidc.New(context.Background(), issuer, "items-api", oidc.Client(server.Client()))
	if err != nil {
		fmt.Println(err) // a server would not start
		return
	}
	hook := authn.New(authn.Bearer(verifier)) // goes into interceptor.New
	_ = hook

	token := pair.Token(map[string]any{
		"iss": issuer, "aud": "items-api", "sub": "alice", "scope": "items.read", "exp": time.Now().Add(time.Hour).Unix(),
	})
	p, err := verifier.Verify(context.Background(), token)
	fmt.Println(p.Subject(), p.HasScope("items.read"), err)

	// Output:
	// alice true <nil>
}
