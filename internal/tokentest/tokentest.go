// Package tokentest makes JSON Web Tokens for tests, good ones and hostile ones. Headers and claims are texts that are
// signed as they are, so that a token can say whatever an attacker's could.
package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
)

// Key is a key pair with the id and algorithm that its tokens name.
type Key struct {
	ID, Algorithm string
	Private       crypto.Signer
}

// RSA returns the key pair "k1" for RS256. All calls return the same one: it takes long to make.
var RSA = sync.OnceValue(func() Key { return Key{"k1", "RS256", must(rsa.GenerateKey(rand.Reader, 2048))} })

// ECDSA returns the key pair "k2" for ES256, always the same.
var ECDSA = sync.OnceValue(func() Key { return NewECDSA("k2") })

// Ed25519 returns the key pair "k3" for EdDSA, always the same.
var Ed25519 = sync.OnceValue(func() Key {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return Key{"k3", "EdDSA", must(private, err)}
})

// NewECDSA returns a new key pair of that id for ES256, which is quickly made.
func NewECDSA(id string) Key {
	return Key{id, "ES256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

// Public returns the public half.
func (k Key) Public() crypto.PublicKey { return k.Private.Public() }

// Header returns the usual header of the key's tokens.
func (k Key) Header() string { return fmt.Sprintf(`{"alg":%q,"kid":%q}`, k.Algorithm, k.ID) }

// Token returns a token of these claims under the usual header. Claims are marshaled with encoding/json.
func (k Key) Token(claims map[string]any) string {
	return k.Sign(k.Header(), string(must(json.Marshal(claims))))
}

// Sign returns a token of this header and payload, whatever they are, signed with the key's own algorithm.
func (k Key) Sign(header, payload string) string {
	input := Encode(header) + "." + Encode(payload)
	return input + "." + Encode(string(k.signature(input)))
}

func (k Key) signature(input string) []byte {
	digest := sha256.Sum256([]byte(input))
	switch private := k.Private.(type) {
	case *rsa.PrivateKey:
		return must(rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, digest[:]))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		return Raw(r, must(s, err))
	default:
		return must(k.Private.Sign(rand.Reader, []byte(input), crypto.Hash(0)))
	}
}

// Raw returns the signature of ES256 that consists of these numbers, whatever they are below 2^256.
func Raw(r, s *big.Int) []byte {
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature
}

// JWK returns the public half as a JSON Web Key, with use and alg.
func (k Key) JWK() map[string]any {
	jwk := map[string]any{"kid": k.ID, "alg": k.Algorithm, "use": "sig"}
	switch public := k.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"] = "RSA", Encode(string(public.N.Bytes()))
		jwk["e"] = Encode(string(big.NewInt(int64(public.E)).Bytes()))
	case *ecdsa.PublicKey:
		point := must(public.Bytes()) // 4, x, y
		half := len(point) / 2
		jwk["kty"], jwk["crv"] = "EC", public.Curve.Params().Name
		jwk["x"], jwk["y"] = Encode(string(point[1:1+half])), Encode(string(point[1+half:]))
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", Encode(string(public))
	}
	return jwk
}

// JWKS returns the JSON Web Key Set of these keys.
func JWKS(keys ...Key) string {
	jwks := make([]map[string]any, len(keys))
	for i, k := range keys {
		jwks[i] = k.JWK()
	}
	return string(must(json.Marshal(map[string]any{"keys": jwks})))
}

// Encode returns the base64url text of s, without padding.
func Encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("tokentest: %v", err))
	}
	return v
}
