package jwks

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// with returns the JSON of a key with changes: a nil value removes a member.
func with(k tokentest.Key, changes map[string]any) string {
	jwk := k.JWK()
	maps.Copy(jwk, changes)
	maps.DeleteFunc(jwk, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(jwk)
	if err != nil {
		panic(err)
	}
	return string(text)
}

type change = map[string]any

// refused are keys that must not be used, each with a part of the reason.
func refused(t testing.TB) map[string][2]string {
	t.Helper()
	k, e, d := tokentest.RSA(), tokentest.ECDSA(), tokentest.Ed25519()
	private, err := json.Marshal(jose.JSONWebKey{Key: k.Private, KeyID: "k1", Algorithm: "RS256", Use: "sig"})
	if err != nil {
		t.Fatal(err)
	}
	// Toolchains refuse to make such a key, but anybody can send the public half.
	small := base64.RawURLEncoding.EncodeToString(append([]byte{0x80}, bytes.Repeat([]byte{1}, 127)...))
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][2]string{
		"symmetric":              {`{"kty":"oct","kid":"k1","k":"c2VjcmV0","alg":"HS256"}`, "symmetric or private"},
		"symmetric without k":    {`{"kty":"oct","kid":"k1"}`, "symmetric or private"},
		"private":                {string(private), "symmetric or private"},
		"public with a secret":   {with(k, change{"p": "AQAB"}), "symmetric or private"},
		"private ECDSA":          {with(e, change{"d": "AQAB"}), "symmetric or private"},
		"private null":           {strings.Replace(with(d, nil), "{", `{"d":null,`, 1), "symmetric or private"},
		"for encryption":         {with(k, change{"use": "enc"}), "not for verifying"},
		"use a number":           {with(k, change{"use": 1}), "not for verifying"},
		"use an array":           {with(k, change{"use": []string{"sig"}}), "not for verifying"},
		"key_ops without verify": {with(k, change{"key_ops": []string{"encrypt"}}), "not for verifying"},
		"key_ops a text":         {with(k, change{"key_ops": "verify"}), "not for verifying"},
		"no key_ops":             {with(k, change{"key_ops": []string{}}), "not for verifying"},
		"algorithm HS256":        {with(k, change{"alg": "HS256"}), "algorithm is not"},
		"algorithm none":         {with(k, change{"alg": "none"}), "algorithm is not"},
		"algorithm RSA-OAEP":     {with(k, change{"alg": "RSA-OAEP"}), "algorithm is not"},
		"algorithm a number":     {with(k, change{"alg": 256}), "algorithm is not"},
		"algorithm empty":        {with(k, change{"alg": ""}), "algorithm is not"},
		"RSA for ES256":          {with(k, change{"alg": "ES256"}), "RSA key needs"},
		"P-256 for ES384":        {with(e, change{"alg": "ES384"}), "needs ES256 on P-256"},
		"Ed25519 for RS256":      {with(d, change{"alg": "RS256"}), "needs the algorithm EdDSA"},
		"1024 bits":              {with(k, change{"n": small}), "bits"},
		"8192 bits":              {with(k, change{"n": tokentest.Encode(strings.Repeat("\xff", 1024))}), "unknown kind"},
		"exponent 1":             {with(k, change{"e": "AQ"}), "unknown kind"},
		"exponent 2":             {with(k, change{"e": "Ag"}), "exponent"},
		"no modulus":             {with(k, change{"n": nil}), "unknown kind"},
		"P-224":                  {with(tokentest.Key{ID: "k1", Algorithm: "ES256", Private: p224}, nil), "unknown kind"},
		"secp256k1":              {with(e, change{"crv": "secp256k1"}), "unknown kind"},
		"not on the curve":       {with(e, change{"y": e.JWK()["x"]}), "unknown kind"},
		"X25519":                 {with(d, change{"crv": "X25519"}), "unknown kind"},
		"Ed25519 too short":      {with(d, change{"x": "AQAB"}), "unknown kind"},
		"another kind":           {with(d, change{"kty": "AKP"}), "unknown kind"},
		"no kind":                {with(d, change{"kty": nil}), "unknown kind"},
		"no id":                  {with(d, change{"kid": nil}), "id of a key"},
		"id a number":            {with(d, change{"kid": 1}), "id of a key"},
		"a long id":              {with(d, change{"kid": strings.Repeat("k", 129)}), "id of a key"},
		"not an object":          {`"key"`, "not an object"},
		"null":                   {`null`, "not an object"},
		"an empty object":        {`{}`, "unknown kind"},
	}
}

func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	good := with(tokentest.NewECDSA("good"), nil)
	for name, tt := range refused(t) {
		if keys, err := parse(`{"keys":[`+tt[0]+`]}`, "RS256"); err == nil || !strings.Contains(err.Error(), tt[1]) {
			t.Errorf("%s: %v, %v; want the reason %q", name, keys, err, tt[1])
		}
		if keys, err := parse(`{"keys":[`+tt[0]+`,`+good+`]}`, "RS256"); err != nil || len(keys) != 1 || keys["good"].Public == nil {
			t.Errorf("%s: beside a good key: %v, %v; want the good one", name, keys, err)
		}
	}
}

func TestAmbiguousKeys(t *testing.T) {
	t.Parallel()
	a, other, b := tokentest.NewECDSA("a"), tokentest.NewECDSA("a"), tokentest.NewECDSA("b")
	keys, err := parse(tokentest.JWKS(a, other, b), "RS256")
	if ids := slices.Collect(maps.Keys(keys)); err != nil || !slices.Equal(ids, []string{"b"}) {
		t.Errorf("%v, %v; want b alone", ids, err)
	}
	if _, err := parse(tokentest.JWKS(a, other), "RS256"); err == nil || !strings.Contains(err.Error(), "one id") {
		t.Error(err)
	}
	if keys, err := parse(tokentest.JWKS(a, a), "RS256"); err != nil || len(keys) != 1 {
		t.Errorf("the same key twice: %v, %v", keys, err)
	}
}

func TestAlgorithmOfKey(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unnamed := change{"alg": nil, "use": nil, "x5c": []string{"not even parsed"}, "x5u": "https://127.0.0.1:1/"}
	for _, tt := range []struct{ name, text, rsa, want string }{
		{"RSA", with(tokentest.RSA(), unnamed), "RS256", "RS256"},
		{"RSA by option", with(tokentest.RSA(), unnamed), "PS384", "PS384"},
		{"RSA by itself", with(tokentest.RSA(), change{"alg": "RS512"}), "PS384", "RS512"},
		{"P-256", with(tokentest.ECDSA(), unnamed), "RS256", "ES256"},
		{"P-384", with(tokentest.Key{ID: "k", Private: p384}, unnamed), "RS256", "ES384"},
		{"P-521", with(tokentest.Key{ID: "k", Private: p521}, unnamed), "RS256", "ES512"},
		{"Ed25519", with(tokentest.Ed25519(), unnamed), "RS256", "EdDSA"},
		{"key_ops", with(tokentest.Ed25519(), change{"key_ops": []string{"sign", "verify"}}), "RS256", "EdDSA"},
	} {
		keys, err := parse(`{"keys":[`+tt.text+`],"more":{"x":1}}`, tt.rsa)
		if err != nil || len(keys) != 1 {
			t.Errorf("%s: %v", tt.name, err)
		}
		for _, k := range keys {
			if k.Algorithm != tt.want || k.Validate() != nil {
				t.Errorf("%s: %s, want %s", tt.name, k.Algorithm, tt.want)
			}
		}
	}
}

// FuzzParse checks that whatever a server sends, keys come out that may be used, and
// that go-jose finds the same ones under their ids, none of them secret.
func FuzzParse(f *testing.F) {
	f.Add(tokentest.JWKS(tokentest.RSA(), tokentest.ECDSA(), tokentest.Ed25519()))
	for _, tt := range refused(f) {
		f.Add(`{"keys":[` + tt[0] + `]}`)
	}
	for _, text := range []string{``, `{}`, `{"keys":null}`, `{"keys":[[]]}`, `{"keys":[{"kty":"RSA","n":"","e":"","kid":"a"}]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := parse(text, "RS256")
		if (err == nil) != (len(keys) > 0) || len(keys) > maxKeys {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		var set jose.JSONWebKeySet
		if len(keys) > 0 && json.Unmarshal([]byte(text), &set) != nil {
			return // go-jose gives up on a set for one key that it does not know
		}
		for id, k := range keys {
			theirs := set.Key(id)
			if k.ID != id || k.Validate() != nil || len(theirs) == 0 {
				t.Fatalf("key %q: %v; go-jose has %d", id, k.Validate(), len(theirs))
			}
			if !slices.ContainsFunc(theirs, func(j jose.JSONWebKey) bool { return j.IsPublic() && j.Valid() }) {
				t.Fatalf("key %q is secret", id)
			}
		}
	})
}
