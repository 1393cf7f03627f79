package oidc

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/internal/httpsget"
)

// FuzzDiscovery feeds discovery documents. Whatever is accepted is of the issuer to any
// reader, and its keys are behind https.
func FuzzDiscovery(f *testing.F) {
	const issuer = "https://issuer.test"
	for _, document := range []string{
		`{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/keys","id_token_signing_alg_values_supported":["RS256"]}`,
		`{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/keys"}`,
		`{"issuer":"https://evil.test","issuer":"https://issuer.test","jwks_uri":"https://evil.test/keys"}`,
		`{"ISSUER":"https://issuer.test","jwks_uri":"https://issuer.test/keys"}`,
		`{"Issuer":"https://issuer.test","JWKS_URI":"https://evil.test/keys"}`,
		`{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/keys","JWKS_uri":"http://evil.test/keys"}`,
		`{"issuer":"https://issuer.test","jwks_uri":"http://issuer.test/keys"}`,
		`{"issuer":"https://issuer.test","jwks_uri":"https://a@b/","id_token_signing_alg_values_supported":"RS256"}`, `{}`, `[]`, `null`, ``,
	} {
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document string) {
		sent := transport(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(document)), Request: r}, nil
		})
		v, err := New(t.Context(), issuer, "items-api", Client(&http.Client{Transport: sent}))
		if err != nil {
			if v != nil || !strings.HasPrefix(err.Error(), "oidc: ") || len(err.Error()) > 2000 {
				t.Fatalf("%q: %v, %v", document, v, err)
			}
			return
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(document), &plain); err != nil || plain["issuer"] != issuer {
			t.Fatalf("%q was accepted; encoding/json has %v", document, err)
		}
		if url, _ := plain["jwks_uri"].(string); httpsget.CheckURL(url) != nil {
			t.Fatalf("%q was accepted with keys at %q", document, url)
		}
	})
}
