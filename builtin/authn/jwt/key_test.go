package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

func TestKeyValidate(t *testing.T) {
	t.Parallel()
	good := tokentest.RSA().Private.(*rsa.PrivateKey).PublicKey
	changed := func(n *big.Int, e int) *rsa.PublicKey { return &rsa.PublicKey{N: n, E: e} }
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	one := big.NewInt(1)
	tests := []struct {
		name, id, algorithm string
		public              crypto.PublicKey
		ok                  bool
	}{
		{"RSA", "a b~", "PS512", &good, true},
		{"ECDSA", "a", "ES384", &p384.PublicKey, true},
		{"Ed25519", strings.Repeat("a", 128), "EdDSA", tokentest.Ed25519().Public(), true},
		{"no id", "", "RS256", &good, false},
		{"a long id", strings.Repeat("a", 129), "RS256", &good, false},
		{"a control in the id", "a\n", "RS256", &good, false},
		{"no algorithm", "a", "", &good, false},
		{"none", "a", "none", &good, false},
		{"HS256", "a", "HS256", []byte("secret"), false},
		{"a secret", "a", "RS256", []byte("secret"), false},
		{"a private key", "a", "RS256", tokentest.RSA().Private, false},
		{"no key", "a", "RS256", nil, false},
		{"a nil RSA key", "a", "RS256", (*rsa.PublicKey)(nil), false},
		{"a nil ECDSA key", "a", "ES256", (*ecdsa.PublicKey)(nil), false},
		{"an empty RSA key", "a", "RS256", &rsa.PublicKey{}, false},
		{"1024 bits", "a", "RS256", changed(new(big.Int).Add(new(big.Int).Lsh(one, 1023), one), 65537), false},
		{"2047 bits", "a", "RS256", changed(new(big.Int).Add(new(big.Int).Lsh(one, 2046), one), 65537), false},
		{"4097 bits", "a", "RS256", changed(new(big.Int).Add(new(big.Int).Lsh(one, 4096), one), 65537), false},
		{"an even modulus", "a", "RS256", changed(new(big.Int).Lsh(one, 2047), 65537), false},
		{"exponent 1", "a", "RS256", changed(good.N, 1), false},
		{"an even exponent", "a", "RS256", changed(good.N, 65536), false},
		{"RSA for ES256", "a", "ES256", &good, false},
		{"P-384 for ES256", "a", "ES256", &p384.PublicKey, false},
		{"P-224", "a", "ES256", &p224.PublicKey, false},
		{"ECDSA for RS256", "a", "RS256", &p384.PublicKey, false},
		{"not on the curve", "a", "ES256", &ecdsa.PublicKey{Curve: elliptic.P256(), X: one, Y: one}, false}, //nolint:staticcheck // a broken key on purpose
		{"Ed25519 for ES256", "a", "ES256", tokentest.Ed25519().Public(), false},
		{"a short Ed25519 key", "a", "EdDSA", ed25519.PublicKey{1, 2, 3}, false},
	}
	for _, tt := range tests {
		if err := (jwt.Key{ID: tt.id, Algorithm: tt.algorithm, Public: tt.public}).Validate(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestKeyEqual(t *testing.T) {
	t.Parallel()
	a, b := tokentest.NewECDSA("a").Public(), tokentest.NewECDSA("b").Public()
	k := jwt.Key{ID: "a", Algorithm: "ES256", Public: a}
	for name, other := range map[string]jwt.Key{
		"id": {"b", "ES256", a}, "algorithm": {"a", "ES384", a}, "key": {"a", "ES256", b}, "nothing": {},
	} {
		if k.Equal(other) || other.Equal(k) {
			t.Errorf("keys of another %s are equal", name)
		}
	}
	if !k.Equal(jwt.Key{ID: "a", Algorithm: "ES256", Public: a}) {
		t.Error("equal keys are not")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	set := keySet()
	if k, err := set.Key(t.Context(), "k2"); err != nil || k.Algorithm != "ES256" || set.Version() == 0 {
		t.Errorf("%v, %v, version %d", k.ID, err, set.Version())
	}
	if _, err := set.Key(t.Context(), "k9"); !errors.Is(err, jwt.ErrUnknownKey) {
		t.Error(err)
	}
}

// TestMistakes checks that each is a panic that names the remedy.
func TestMistakes(t *testing.T) {
	t.Parallel()
	k := jwt.Key{ID: "a", Algorithm: "EdDSA", Public: tokentest.Ed25519().Public()}
	is, aud := jwt.Issuer(issuer), jwt.Audience(audience)
	for want, f := range map[string]func(){
		"pass the public keys":      func() { jwt.Keys() },
		"two keys have the id":      func() { jwt.Keys(k, k) },
		"is not a public key":       func() { jwt.Keys(jwt.Key{ID: "a", Algorithm: "RS256"}) },
		"pass jwks.New(url)":        func() { jwt.New(nil, is, aud) },
		"an option is nil":          func() { jwt.New(keySet(), is, aud, nil) },
		"pass jwt.Issuer":           func() { jwt.New(keySet(), aud) },
		"pass jwt.Audience":         func() { jwt.New(keySet(), is) },
		"an empty one":              func() { jwt.New(keySet(), is, aud, jwt.Audience("")) },
		"use some of":               func() { jwt.New(keySet(), is, aud, jwt.Algorithms("RS256", "HS256")) },
		"leave it out to accept":    func() { jwt.New(keySet(), is, aud, jwt.Algorithms()) },
		"use 0 to 5m0s":             func() { jwt.New(keySet(), is, aud, jwt.Skew(time.Hour)) },
		"a skew of -1s":             func() { jwt.New(keySet(), is, aud, jwt.Skew(-time.Second)) },
		"maximum lifetime of 0s":    func() { jwt.New(keySet(), is, aud, jwt.MaxLifetime(0)) },
		"use 0 for none":            func() { jwt.New(keySet(), is, aud, jwt.CacheSize(-1)) },
		"\"none\" is not an algori": func() { jwt.New(keySet(), is, aud, jwt.Algorithms("none")) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, want) || !strings.HasPrefix(text, "jwt.") {
					t.Errorf("panic %q, want it to say %q", text, want)
				}
			}()
			f()
		}()
	}
}

// TestRestrictions checks the options that narrow what is accepted.
func TestRestrictions(t *testing.T) {
	t.Parallel()
	rsaToken := tokentest.RSA().Token(claims(nil))
	typed := tokentest.ECDSA().Sign(`{"alg":"ES256","kid":"k2","typ":"JWT"}`, text(t))
	for _, tt := range []struct {
		name, token, why string
		opts             []jwt.Option
	}{
		{"another algorithm", rsaToken, "algorithm", []jwt.Option{jwt.Algorithms("ES256")}},
		{"that algorithm", rsaToken, "", []jwt.Option{jwt.Algorithms("RS256")}},
		{"no typ", typed, "typ", []jwt.Option{jwt.Types()}},
		{"another typ", typed, "typ", []jwt.Option{jwt.Types("at+jwt")}},
		{"that typ", typed, "", []jwt.Option{jwt.Types("application/jwt")}},
		{"one more audience", rsaToken, "", []jwt.Option{jwt.Audience("other")}},
		{"another issuer", rsaToken, "issuer", []jwt.Option{jwt.Issuer("https://other.test")}},
	} {
		_, err := verifier(tt.opts...).Verify(t.Context(), tt.token)
		if (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
