package jwt_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// attack is a token that must be refused, and a part of the reason.
type attack struct {
	name, token, why string
}

// attacks are the tokens that attackers, careless issuers and lenient libraries make.
// All of those with a signature are signed by the issuer's own key unless the attack is
// another one.
func attacks(t testing.TB) []attack {
	t.Helper()
	var all []attack
	all = append(all, headerAttacks(t)...)
	all = append(all, keyAttacks(t)...)
	all = append(all, spellingAttacks(t)...)
	return append(all, claimAttacks(t)...)
}

func headerAttacks(t testing.TB) []attack {
	k, payload := tokentest.RSA(), text(t)
	stranger := tokentest.NewECDSA("stranger")
	embedded, err := json.Marshal(stranger.JWK())
	if err != nil {
		t.Fatal(err)
	}
	var all []attack
	add := func(name, why, header string) { all = append(all, attack{name, k.Sign(header, payload), why}) }
	add("no algorithm", "algorithm", `{"kid":"k1"}`)
	add("algorithm none, signed", "algorithm", `{"alg":"none","kid":"k1"}`)
	add("algorithm nOnE, signed", "algorithm", `{"alg":"nOnE","kid":"k1"}`)
	add("algorithm a number", "algorithm", `{"alg":256,"kid":"k1"}`)
	add("algorithm in another case", "has a member twice", `{"ALG":"RS256","kid":"k1"}`)
	add("PS256 over a signature of RS256", "cannot be used", `{"alg":"PS256","kid":"k1"}`)
	add("RS512 over a signature of RS256", "cannot be used", `{"alg":"RS512","kid":"k1"}`)
	add("key of another algorithm", "cannot be used", `{"alg":"RS256","kid":"k2"}`)
	for _, member := range []string{
		`"crit":["x-policy"],"x-policy":"deny"`, `"crit":[]`, `"crit":null`, `"crit":["b64"],"b64":true`, `"b64":false`, `"zip":"DEF"`,
		`"jwk":` + string(embedded), `"jku":"https://127.0.0.1:1/keys"`, `"x5u":"https://127.0.0.1:1/cert"`, `"x5c":["MIIB"]`,
	} {
		add(member, "member that is not accepted", `{"alg":"RS256","kid":"k1",`+member+`}`)
	}
	for _, member := range []string{
		`"alg":"RS256"`, `"kid":"k2"`, `"\u006bid":"k1"`, `"Kid":"k2"`, `"CRIT":["x"]`, `"x":1,"X":2`, `"nonce":1`, `"` + "\u212a" + `id":"k1"`,
		`"a":{"b":{"c":{"d":{}}}}`, `"a":"` + strings.Repeat("x", 2048) + `"`, `"a":1e999`, `"a":"\ud800"`, `"a":"` + "\xff" + `"`,
	} {
		add(member[:min(len(member), 20)], "header is not a JSON object", `{"alg":"RS256","kid":"k1",`+member+`}`)
	}
	for _, header := range []string{`{"alg":"RS256","kid":"k1"}x`, `["RS256"]`, `null`, `{"alg":"RS256","kid":"k1"`, "\ufeff" + `{"alg":"RS256","kid":"k1"}`} {
		add(header, "header is not a JSON object", header)
	}
	for _, typ := range []string{`"logout+jwt"`, `"application/logout+jwt"`, `""`, `null`, `1`, `["JWT"]`, `"JWT "`} {
		add("typ "+typ, "typ is not", `{"alg":"RS256","kid":"k1","typ":`+typ+`}`)
	}
	return all
}

func keyAttacks(t testing.TB) []attack {
	k, payload := tokentest.RSA(), text(t)
	var all []attack
	for _, kid := range []string{`"k1\u0000"`, `""`, `1`, `["k1"]`, `null`, `"k\u00e9y"`, `"` + strings.Repeat("k", 129) + `"`} {
		all = append(all, attack{"kid " + kid[:min(len(kid), 20)], k.Sign(`{"alg":"RS256","kid":`+kid+`}`, payload), "kid is not a text"})
	}
	all = append(all, attack{"no kid", k.Sign(`{"alg":"RS256"}`, payload), "kid is not a text"},
		attack{"kid of 7 KiB", k.Sign(`{"alg":"RS256","kid":"`+strings.Repeat("k", 7<<10)+`"}`, `{}`), "8 KiB"})
	for _, kid := range []string{"../../../../dev/null", "k1' OR '1'='1", "K1", "k1 ", "k11"} {
		all = append(all, attack{"kid " + kid, k.Sign(fmt.Sprintf(`{"alg":"RS256","kid":%q}`, kid), payload), "no key with"})
	}
	all = append(all, hmacAttacks(t)...)
	stranger := tokentest.NewECDSA("k2")
	all = append(all, attack{"a stranger's key under a known id", stranger.Sign(stranger.Header(), payload), "signature is not valid"})
	head := tokentest.Encode(tokentest.ECDSA().Header()) + "." + tokentest.Encode(payload)
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	for name, signature := range map[string]string{
		"zeros":            string(make([]byte, 64)),
		"the group order":  string(tokentest.Raw(order, order)),
		"DER":              "0\x06\x02\x01\x01\x02\x01\x01",
		"one byte more":    string(make([]byte, 65)),
		"one byte":         "\x01",
		"a good one twice": strings.Repeat(string(tokentest.Raw(big.NewInt(1), big.NewInt(1))), 2),
	} {
		all = append(all, attack{"ECDSA signature of " + name, head + "." + tokentest.Encode(signature), "signature is not valid"})
	}
	return all
}

// hmacAttacks are tokens whose MAC is made with a public key.
func hmacAttacks(t testing.TB) []attack {
	t.Helper()
	k := tokentest.RSA()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(k.JWK())
	if err != nil {
		t.Fatal(err)
	}
	var all []attack
	for name, secret := range map[string][]byte{
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "JWK": jwk, "nothing": nil,
	} {
		input := tokentest.Encode(`{"alg":"HS256","kid":"k1"}`) + "." + tokentest.Encode(text(t))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		all = append(all, attack{"HS256 keyed with " + name, input + "." + tokentest.Encode(string(mac.Sum(nil))), "algorithm is not"})
	}
	return all
}

// spellingAttacks are texts that another reader might take for a good token.
func spellingAttacks(t testing.TB) []attack {
	t.Helper()
	k, payload := tokentest.RSA(), text(t)
	good := k.Sign(k.Header(), payload)
	parts := strings.Split(good, ".")
	last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", good[len(good)-1])
	other := good[:len(good)-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last|1:last|1+1]
	form := map[string]string{
		"unused bits": other, "padding": good + "==", "line end": good + "\n", "line end within": parts[0] + ".\r\n" + parts[1] + "." + parts[2],
		"blank before": " " + good, "standard alphabet": parts[0] + "." + parts[1] + ".+/" + parts[2][2:],
		"no signature": parts[0] + "." + parts[1] + ".", "two parts": parts[0] + "." + parts[1], "four parts": good + "." + parts[2],
		"five parts": good + ".a.b", "empty payload": parts[0] + ".." + parts[2], "empty header": "." + parts[1] + "." + parts[2],
		"algorithm none": tokentest.Encode(`{"alg":"none","kid":"k1"}`) + "." + parts[1] + ".", "dots": strings.Repeat(".", 100), "one character": parts[0] + "." + parts[1] + ".A",
		"JSON":    `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"nothing": "", "NUL": good + "\x00", "not ASCII": good + "é",
	}
	var all []attack
	for name, token := range form {
		all = append(all, attack{name, token, "three parts of base64url"})
	}
	var many strings.Builder
	many.WriteString(`{"alg":"RS256"`)
	for i := range 100_000 {
		fmt.Fprintf(&many, `,"a%d":1`, i)
	}
	return append(all,
		attack{"9 KiB, signed", k.Sign(k.Header(), `{"a":"`+strings.Repeat("x", 6600)+`"}`), "8 KiB"},
		attack{"1 MiB of dots", strings.Repeat(".", 1<<20), "8 KiB"},
		attack{"a header of 100,000 members", tokentest.Encode(many.String()+"}") + ".e30.AA", "8 KiB"},
		attack{"another payload", parts[0] + "." + tokentest.Encode(strings.Replace(payload, "alice", "mallory", 1)) + "." + parts[2], "signature is not valid"},
	)
}

func claimAttacks(t testing.TB) []attack {
	t.Helper()
	k, now := tokentest.Ed25519(), time.Now().Unix()
	var all []attack
	for _, a := range []struct {
		why, claim string
		values     []any
	}{
		{"issuer is not", "iss", []any{nil, "https://issuer.test/", []string{issuer}, "HTTPS://issuer.test", "", 1}},
		{"another audience", "aud", []any{nil, []string{}, "items-api2", "items-api ", "ITEMS-API", map[string]int{audience: 1}, "", []any{audience, 1}, [][]string{{audience}}, "x items-api"}},
		{"no subject", "sub", []any{nil, "", 17, []string{"alice"}, "al\x00ice", "al\u0085ice", "alice\n", strings.Repeat("x", 256)}},
		{"no expiry", "exp", []any{nil, json.RawMessage("null"), "9999999999", []int64{now + 3600}, true}},
		{"has expired", "exp", []any{0, -1, now - 3600, -9007199254740992}},
		{"not valid yet", "nbf", []any{now + 3600, "0", json.RawMessage("null"), []int{0}, 9007199254740992}},
		{"issued in the future", "iat", []any{now + 3600, "0", json.RawMessage("null")}},
		{"lifetime", "exp", []any{now + 100*366*86400, 9007199254740992}},
	} {
		for i, value := range a.values {
			all = append(all, attack{fmt.Sprintf("%s %d: %.40v", a.claim, i, value), k.Token(claims(map[string]any{a.claim: value})), a.why})
		}
	}
	good := text(t)
	for _, payload := range []string{
		`{"sub":"root",` + good[1:], strings.Replace(good, `"exp"`, `"exp":1,"exp"`, 1), `{"s\u0075b":"root",` + good[1:], good + "x", good + good, good[:len(good)-1],
		`[` + good + `]`, `"alice"`, `{"a":[{"b":1,"b":2}],` + good[1:], "{\"a\":\"\xff\"," + good[1:], `{"a":"\ud800",` + good[1:], `{"a":9007199254740993.5,` + good[1:],
		`{"a":1e400,` + good[1:], `{"a":NaN,` + good[1:], `{"a":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `,` + good[1:],
	} {
		all = append(all, attack{payload[:min(len(payload), 24)], k.Sign(k.Header(), payload), "claims are not a JSON object"})
	}
	return all
}

// TestHostileTokens is the table of right answers: each token is refused, by the rule
// that is meant, twice, with a reason that has no part of it.
func TestHostileTokens(t *testing.T) {
	t.Parallel()
	v := verifier()
	for _, a := range attacks(t) {
		for range 2 {
			p, err := v.Verify(t.Context(), a.token)
			if err == nil || p != nil || !strings.Contains(err.Error(), a.why) {
				t.Errorf("%s: %v, %v; want the reason %q", a.name, p, err, a.why)
				break
			}
			for _, part := range strings.Split(a.token, ".") {
				if len(part) > 8 && strings.Contains(err.Error(), part[:8]) {
					t.Errorf("%s: the reason has a part of the token: %v", a.name, err)
				}
			}
		}
	}
}

// TestGoodTokens are the counterparts: what the rules must not refuse.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	v := verifier()
	now := time.Now().Unix()
	rsa, payload := tokentest.RSA(), text(t)
	tokens := map[string]string{
		"ECDSA":                tokentest.ECDSA().Token(claims(nil)),
		"Ed25519":              tokentest.Ed25519().Token(claims(nil)),
		"typ JWT":              rsa.Sign(`{"typ":"JWT","alg":"RS256","kid":"k1"}`, payload),
		"typ at+jwt":           rsa.Sign(`{"typ":"at+jwt","alg":"RS256","kid":"k1"}`, payload),
		"typ with application": rsa.Sign(`{"typ":"application/AT+jwt","alg":"RS256","kid":"k1"}`, payload),
		"other members":        rsa.Sign(`{"cty":"x","x5t":"abc","x":{"y":{"z":{}}},"alg":"RS256","kid":"k1"}`, payload),
		"white space":          rsa.Sign(" {\n\"alg\" : \"RS256\", \"kid\":\"k1\"}\n", " "+payload+"\n"),
		"several audiences":    rsa.Token(claims(map[string]any{"aud": []string{"x", audience}})),
		"no iat":               rsa.Token(claims(map[string]any{"iat": nil})),
		"nbf":                  rsa.Token(claims(map[string]any{"nbf": now})),
		"fractions":            rsa.Token(claims(map[string]any{"exp": float64(now) + 3600.5, "nbf": float64(now) - 0.5})),
		"a year":               rsa.Token(claims(map[string]any{"exp": now + 366*86400})),
		"the largest subject":  rsa.Token(claims(map[string]any{"sub": strings.Repeat("x", 255)})),
		"other claims":         rsa.Token(claims(map[string]any{"a": map[string]any{"b": []any{1, nil, "é"}}})),
	}
	for name, token := range tokens {
		for range 2 { // the second time from memory
			if p, err := v.Verify(t.Context(), token); err != nil || p.Subject() == "" || p.Issuer() != issuer {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		}
	}
}

// TestOversizedTokensCostNothing holds refusals to a bound that the token's length has
// no part in.
func TestOversizedTokensCostNothing(t *testing.T) {
	v, ctx := verifier(), t.Context()
	for _, size := range []int{jwt.MaxToken + 1, 1 << 20} {
		token := strings.Repeat("eyJ", size/3+1)
		if n := testing.AllocsPerRun(100, func() { _, _ = v.Verify(ctx, token) }); n > 0 {
			t.Errorf("%d bytes: %v allocations, want none", size, n)
		}
	}
	if jwt.MaxToken != authn.MaxCredential {
		t.Errorf("MaxToken is %d, what authn lets through %d", jwt.MaxToken, authn.MaxCredential)
	}
}
