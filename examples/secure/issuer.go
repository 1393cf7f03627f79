package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	audience = "secureshop" // what the shop is called in tokens that are meant for it
	keyID    = "2026-1"
	lifetime = time.Hour // of a token; the shop accepts no longer ones
)

// issuer stands for the OpenID Connect provider that a real service trusts: it has
// the key, serves what the shop needs to check signatures, and makes tokens. The
// shop knows nothing of it but its URL.
type issuer struct {
	url     string
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

func newIssuer(url string) (*issuer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &issuer{url: url, public: public, private: private}, nil
}

// handler serves the discovery document and the key set.
func (i *issuer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, map[string]any{
			"issuer":                                i.url,
			"jwks_uri":                              i.url + "/keys",
			"id_token_signing_alg_values_supported": []string{string(jose.EdDSA)},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
			Key: i.public, KeyID: keyID, Algorithm: string(jose.EdDSA), Use: "sig",
		}}})
	})
	return mux
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client hung up
}

// claims are what the shop reads of a token.
type claims struct {
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Subject  string   `json:"sub"`
	Scope    string   `json:"scope,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
}

// claimsOf are those of an access token for the shop that is good from now on.
func (i *issuer) claimsOf(p person) claims {
	now := time.Now()
	return claims{
		Issuer: i.url, Audience: audience, Subject: p.name, Scope: p.scope, Roles: p.roles,
		IssuedAt: now.Unix(), Expires: now.Add(lifetime).Unix(),
	}
}

// sign makes a token of the claims.
func (i *issuer) sign(c claims) (string, error) {
	opts := (&jose.SignerOptions{}).WithType("at+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: i.private, KeyID: keyID}}, opts)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(c).Serialize()
}
