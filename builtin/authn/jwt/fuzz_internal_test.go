package jwt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// seeds are headers and payloads of attacks. Each is also a part of a token.
var seeds = []string{
	`{"alg":"RS256","kid":"k1"}`, `{"alg":"none","kid":"k1"}`, `{"kid":"k1"}`, `{"alg":"HS256","kid":"k1"}`, `{"alg":"ES256","kid":"k2","typ":"JWT"}`,
	`{"alg":"EdDSA","kid":"k3","typ":"at+jwt"}`, `{"alg":"RS256","kid":"../../dev/null"}`, `{"alg":"RS256","kid":1}`, `{"alg":"RS256","kid":["k1"]}`,
	`{"alg":"RS256","kid":"k1","jwk":{"kty":"oct","k":"AA"}}`, `{"alg":"RS256","kid":"k1","jku":"https://x"}`, `{"alg":"RS256","kid":"k1","x5c":["MIIB"]}`,
	`{"alg":"RS256","kid":"k1","crit":["b64"],"b64":false}`, `{"alg":"RS256","alg":"none","kid":"k1"}`, `{"alg":"RS256","Alg":"none","kid":"k1"}`,
	`{"alg":"RS256","kid":"k1","cty":1,"x5t":3,"x5t#S256":[]}`, `{"alg":"RS256","kid":"k1","nonce":2}`, `{"alg":"RS256","kid":"k1","enc":"A256GCM","epk":{},"apu":1}`,
	`{"alg":"RS256","kid":"k1","\u0000":"\ud83d\ude00"}`, "{\"alg\":\"RS256\",\"kid\":\"k1\"}\n",
	`{"iss":"i","sub":"alice","aud":"a","exp":9e9}`, `{"iss":"i","sub":"alice","sub":"root","aud":"a","exp":9e9}`, `{"exp":"9e9"}`, `{"exp":1e400}`,
	`{"iss":"i","sub":"alice","aud":["x","a"],"exp":1800003600,"nbf":1800000000,"iat":1800000000.5}`, `{"aud":{"a":1}}`, `{"exp":-0}`, `[]`, `null`, ``,
}

// permitted are our algorithms as go-jose names them.
func permitted() []jose.SignatureAlgorithm {
	var all []jose.SignatureAlgorithm
	for _, name := range algorithms {
		all = append(all, jose.SignatureAlgorithm(name))
	}
	return all
}

func fuzzRules() *rules {
	r := defaultRules()
	r.issuer, r.audiences = "i", []string{"a"}
	return r
}

// FuzzParse feeds whole tokens. What the pre-parser accepts, go-jose accepts, reads
// the same header in it, and would spell the same way.
func FuzzParse(f *testing.F) {
	for _, head := range seeds {
		for _, payload := range []string{"", "{}", seeds[len(seeds)-8]} {
			f.Add(tokentest.Encode(head) + "." + tokentest.Encode(payload) + ".AAAA")
		}
	}
	for _, token := range []string{tokentest.Encode(seeds[0]) + ".e31.AA", "a.b.c", "..", "e30.e30.AA", "e30=.e30.AA", "e30.e30.AB", "e30.e30.AA\n", "e30.e31.AA", "ewp9.e30.-_", strings.Repeat("a", MaxToken) + ".e30.AA"} {
		f.Add(token)
	}
	r := fuzzRules()
	f.Fuzz(func(t *testing.T, token string) {
		h, err := parse(token, r)
		if err != nil {
			var why reasonError
			if !errors.As(err, &why) || h != (header{}) {
				t.Fatalf("%q: %v, %v", token, h, err)
			}
			return
		}
		signed, err := jose.ParseSignedCompact(token, permitted())
		if err != nil || len(signed.Signatures) != 1 {
			t.Fatalf("%q was accepted; go-jose has %v", token, err)
		}
		if got := signed.Signatures[0].Protected; got.Algorithm != h.algorithm || got.KeyID != h.keyID || got.JSONWebKey != nil {
			t.Fatalf("%q: read %+v, go-jose %+v", token, h, got)
		}
		if respelled := respell(t, token); respelled != token {
			t.Fatalf("%q was accepted; it would be spelled %q", token, respelled)
		}
	})
}

// respell decodes the parts of a token and encodes them again.
func respell(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	for i := range parts {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatalf("%q was accepted: %v", token, err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(b)
	}
	return strings.Join(parts, ".")
}

// FuzzHeader does the same with headers, which a fuzzer does not find behind base64.
func FuzzHeader(f *testing.F) {
	for _, head := range seeds {
		f.Add(head)
	}
	r := fuzzRules()
	f.Fuzz(func(t *testing.T, head string) {
		token := tokentest.Encode(head) + ".e30.AAAA"
		h, err := parse(token, r)
		if err != nil {
			return
		}
		signed, err := jose.ParseSignedCompact(token, permitted())
		if err != nil {
			t.Fatalf("%q was accepted; go-jose has %v", head, err)
		}
		if got := signed.Signatures[0].Protected; got.Algorithm != h.algorithm || got.KeyID != h.keyID {
			t.Fatalf("%q: read %+v, go-jose %+v", head, h, got)
		}
	})
}

// FuzzClaims feeds payloads as an issuer that makes mistakes would sign them. What is
// accepted, go-jose's own package for claims accepts, and understands alike.
func FuzzClaims(f *testing.F) {
	for _, payload := range seeds {
		f.Add(payload)
	}
	r, now := fuzzRules(), start
	f.Fuzz(func(t *testing.T, payload string) {
		p, _, err := r.principal([]byte(payload), now)
		if err != nil {
			return
		}
		k := tokentest.Ed25519()
		parsed, err := josejwt.ParseSigned(k.Sign(k.Header(), payload), permitted())
		if err != nil {
			t.Fatal(err)
		}
		var theirs josejwt.Claims
		if err := parsed.Claims(k.Public(), &theirs); err != nil {
			t.Fatalf("%q was accepted; go-jose has %v", payload, err)
		}
		expected := josejwt.Expected{Issuer: "i", Subject: p.Subject(), AnyAudience: []string{"a"}, Time: now}
		if err := theirs.ValidateWithLeeway(expected, r.skew+time.Second); err != nil { // it knows no fractions
			t.Fatalf("%q was accepted; go-jose has %v", payload, err)
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(payload), &plain); err != nil || !reflect.DeepEqual(plain, p.Claims()) {
			t.Fatalf("%q: claims %v; encoding/json has %v, %v", payload, p.Claims(), plain, err)
		}
	})
}
