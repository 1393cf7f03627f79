package oidc_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/builtin/authn/oidc"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

const audience = "items-api"

// provider is an OpenID Connect provider on a TLS server of its own. Its issuer's name
// is its URL.
type provider struct {
	*httptest.Server
	discovered, fetched atomic.Int64           // requests for the document and the keys
	discovery           atomic.Value           // of type http.HandlerFunc
	changes             map[string]any         // of the document; not changed after the start
	keys                func() []tokentest.Key // what is published
}

// start starts a provider whose discovery document has these changes: nil removes a
// member.
func start(t testing.TB, changes map[string]any) *provider {
	t.Helper()
	p := &provider{changes: changes, keys: func() []tokentest.Key { return []tokentest.Key{tokentest.Ed25519(), tokentest.ECDSA()} }}
	p.discovery.Store(http.HandlerFunc(p.document))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		p.discovered.Add(1)
		p.discovery.Load().(http.HandlerFunc)(w, r)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.fetched.Add(1)
		_, _ = io.WriteString(w, tokentest.JWKS(p.keys()...))
	})
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	return p
}

// document serves the discovery document.
func (p *provider) document(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/authorize",
		"id_token_signing_alg_values_supported": []string{"RS256", "EdDSA", "HS256", "none"},
	}
	maps.Copy(document, p.changes)
	maps.DeleteFunc(document, func(_ string, v any) bool { return v == nil })
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}

// claims are good ones with changes.
func (p *provider) claims(changes map[string]any) map[string]any {
	c := map[string]any{"iss": p.URL, "aud": audience, "sub": "alice", "exp": time.Now().Unix() + 3600}
	maps.Copy(c, changes)
	return c
}

func (p *provider) token() string { return tokentest.Ed25519().Token(p.claims(nil)) }

// patient are options of a verifier that trusts the provider and has time on a busy
// machine.
func patient(p *provider, more ...oidc.Option) []oidc.Option {
	return append([]oidc.Option{oidc.Client(p.Client()), oidc.Timeout(time.Minute), oidc.Keys(jwks.Timeout(time.Minute))}, more...)
}

// mentions tells whether text contains one of the alternatives, which | separates.
func mentions(text, alternatives string) bool {
	return slices.ContainsFunc(strings.Split(alternatives, "|"), func(a string) bool { return strings.Contains(text, a) })
}
