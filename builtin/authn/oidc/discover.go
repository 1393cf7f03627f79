package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/httpsget"
	"github.com/crosscut-go/crosscut/internal/strictjson"
)

const (
	maxDepth = 16
	maxText  = 256 // bytes of another's error that are repeated
)

// supported are the algorithms of package jwt.
var supported = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// discover reads the discovery document and keeps the verifier made of it.
func (v *Verifier) discover() error {
	// go-oidc builds the URL and compares the issuer; the client bounds time and size.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), v.client), v.issuer)
	if err != nil {
		return v.explain(err)
	}
	url, algorithms, err := read(provider, v.issuer)
	if err != nil {
		return fmt.Errorf("oidc: the discovery document of %s is no use: %w", v.issuer, err)
	}
	v.found.Store(v.make(url, algorithms))
	return nil
}

// explain says what to do about an error of go-oidc, which can have a whole response in
// its text.
func (v *Verifier) explain(err error) error {
	var mismatch *oidc.IssuerMismatchError
	if errors.As(err, &mismatch) {
		return fmt.Errorf("oidc: the discovery document is of the issuer %q and not of %q; pass the issuer's own spelling, a slash at the end included",
			shortened(mismatch.Discovered), v.issuer)
	}
	return fmt.Errorf("oidc: the discovery document %s/.well-known/openid-configuration cannot be read; check the issuer's name and that it is reachable: %q",
		strings.TrimSuffix(v.issuer, "/"), shortened(err.Error()))
}

func shortened(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}

// read returns the URL of the keys, and the algorithms that both sides support, of a
// document whose issuer go-oidc has compared.
func read(provider *oidc.Provider, issuer string) (url string, algorithms []string, err error) {
	var raw json.RawMessage
	if err := provider.Claims(&raw); err != nil {
		return "", nil, err
	}
	document, err := strictjson.Object(string(raw), maxDepth)
	if err != nil {
		return "", nil, err
	}
	if document["issuer"] != issuer { // go-oidc ignores the case of the member's name
		return "", nil, errors.New("it has no member \"issuer\"")
	}
	url, _ = document["jwks_uri"].(string)
	if err := httpsget.CheckURL(url); err != nil {
		return "", nil, fmt.Errorf("jwks_uri: %w", err)
	}
	listed, present := document["id_token_signing_alg_values_supported"].([]any)
	if !present {
		return url, supported, nil
	}
	for _, name := range supported {
		if slices.Contains(listed, any(name)) {
			algorithms = append(algorithms, name)
		}
	}
	if len(algorithms) == 0 {
		return "", nil, fmt.Errorf("it supports none of the algorithms %v; configure the issuer to sign with one of them", supported)
	}
	return url, algorithms, nil
}

// make makes the verifier of tokens signed with the keys at url. A restriction of
// algorithms among the options of package jwt counts more than the document.
func (v *Verifier) make(url string, algorithms []string) *jwt.Verifier {
	keys := []jwks.Option{jwks.Client(v.config.client)}
	rules := []jwt.Option{jwt.Audience(v.audience)}
	if algorithms != nil {
		rules = append(rules, jwt.Algorithms(algorithms...))
	}
	rules = append(rules, v.config.rules...)
	rules = append(rules, jwt.Issuer(v.issuer)) // last: no option may give these keys to another issuer
	return jwt.New(jwks.New(url, append(keys, v.config.keys...)...), rules...)
}
