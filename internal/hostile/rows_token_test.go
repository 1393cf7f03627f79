package hostile_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// tokenRows are about what a token says: H23 to H38, without those that need a site of
// their own. They are made once: most hold a signature.
var tokenRows = sync.OnceValue(func() []row {
	return slices.Concat(algorithmRows(), headerRows(), claimRows(), sizeRows(), spellingRows())
})

// forged is a row with a token that is worth nothing.
func forged(name, token string) row {
	return row{name: name, call: get, fields: []string{bearer(token)}, want: unauthenticated, times: 50}
}

// payload is that of a good token.
func payload() string {
	b, err := json.Marshal(claims(nil))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// algorithmRows are H23 to H25 and H37.
func algorithmRows() []row {
	k, good := tokentest.RSA(), payload()
	parts := strings.Split(k.Sign(k.Header(), good), ".")
	unsigned := func(alg string) string {
		return tokentest.Encode(`{"alg":"`+alg+`","kid":"k1"}`) + "." + parts[1] + "."
	}
	rows := []row{
		forged("H23 none", unsigned("none")),
		forged("H23 nOnE", unsigned("nOnE")),
		forged("H23 none with a good signature", unsigned("none")+parts[2]),
		forged("H25 no algorithm", k.Sign(`{"kid":"k1"}`, good)),
	}
	for name, secret := range publicTexts() {
		input := tokentest.Encode(`{"alg":"HS256","kid":"k1"}`) + "." + parts[1]
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		rows = append(rows, forged("H24 keyed with "+name, input+"."+tokentest.Encode(string(mac.Sum(nil)))))
	}
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	head := tokentest.Encode(tokentest.ECDSA().Header()) + "." + tokentest.Encode(good) + "."
	for name, signature := range map[string][]byte{
		"zeros": make([]byte, 64), "the group order": tokentest.Raw(order, order), "65 zeros": make([]byte, 65),
		"DER": {0x30, 6, 2, 1, 1, 2, 1, 1},
	} {
		rows = append(rows, forged("H37 signature of "+name, head+tokentest.Encode(string(signature))))
	}
	return rows
}

// publicTexts are the spellings of k1's public key that a careless server might use as
// the secret of a MAC.
func publicTexts() map[string][]byte {
	k := tokentest.RSA()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	jwk, err := json.Marshal(k.JWK())
	if err != nil {
		panic(err)
	}
	return map[string][]byte{
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "JWK": jwk, "nothing": nil,
	}
}

// headerRows are H26, H28 and H30.
func headerRows() []row {
	k, attacker, good := tokentest.RSA(), tokentest.NewECDSA("k1"), payload()
	jwk, err := json.Marshal(attacker.JWK())
	if err != nil {
		panic(err)
	}
	rows := []row{
		forged("H26 own key", attacker.Sign(`{"alg":"ES256","jwk":`+string(jwk)+`}`, good)),
		forged("H26 own key under a known id", attacker.Sign(`{"alg":"ES256","kid":"k1","jwk":`+string(jwk)+`}`, good)),
		forged("H26 own key, not shown", attacker.Sign(`{"alg":"ES256","kid":"k2"}`, good)),
		forged("H30 unknown critical header", k.Sign(`{"alg":"RS256","kid":"k1","crit":["x-policy"],"x-policy":"deny"}`, good)),
	}
	for _, kid := range []string{
		`"../../../../dev/null"`, `"k1' OR '1'='1"`, `"K1"`, `"k1\u0000"`, `1`, `["k1"]`, `"` + strings.Repeat("k", 4<<10) + `"`,
		`"` + strings.Repeat("k", 7<<10) + `"`,
	} {
		rows = append(rows, forged("H28 kid "+kid[:min(20, len(kid))]+fmt.Sprint(len(kid)), k.Sign(`{"alg":"RS256","kid":`+kid+`}`, good)))
	}
	return rows
}

// claimRows are H32 to H35.
func claimRows() []row {
	k, now := tokentest.RSA(), time.Now().Unix()
	var rows []row
	for _, c := range []struct {
		number, claim string
		values        []any
	}{
		{"H32", "nbf", []any{now + 3600, "0"}},
		{"H33", "exp", []any{nil, json.RawMessage("null"), 0}},
		{"H34", "aud", []any{nil, []string{}, "items-api2", "items-api ", "ITEMS-API", map[string]int{audience: 1}}},
		{"H34", "iss", []any{"https://issuer.test/", []string{issuer}}},
	} {
		for _, value := range c.values {
			rows = append(rows, forged(fmt.Sprintf("%s %s %v", c.number, c.claim, value), k.Token(claims(map[string]any{c.claim: value}))))
		}
	}
	several := forged("H34 one of several audiences", k.Token(claims(map[string]any{"aud": []string{"x", audience}})))
	several.want, several.doors = allowed, "GSRMDP"
	good := payload()
	return append(rows, several,
		forged("H35 subject twice", k.Sign(k.Header(), `{"sub":"root",`+good[1:])),
		forged("H35 expiry twice", k.Sign(k.Header(), `{"exp":1,`+good[1:])),
		forged("H35 expiry twice, the past last", k.Sign(k.Header(), good[:len(good)-1]+`,"exp":1}`)),
	)
}

// sizeRows are H36. Header limits that are not grpc-go's answer before any hook.
func sizeRows() []row {
	k := tokentest.RSA()
	var members strings.Builder
	members.WriteString(`{"alg":"RS256"`)
	for i := range 100_000 {
		fmt.Fprintf(&members, `,"a%d":1`, i)
	}
	long := forged("H36 nine KiB, signed", k.Sign(k.Header(), `{"a":"`+strings.Repeat("x", 6600)+`",`+payload()[1:]))
	dots := forged("H36 a MiB of dots", strings.Repeat(".", 1<<20))
	object := forged("H36 a header of 100,000 members", tokentest.Encode(members.String()+"}")+".e30.AA")
	dots.times, object.times = 5, 5
	dots.at = map[door]outcome{mounted: headerTooLarge}
	object.at = map[door]outcome{mounted: {closed: true, silent: true}} // net/http gives up beyond twice its limit
	for _, d := range []door{rest, restMux, dialled, inside, plain} {
		object.at[d] = headerTooLarge
	}
	return []row{long, dots, object}
}

// spellingRows are H38.
func spellingRows() []row {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	good := reader()
	parts := strings.Split(good, ".")
	last := strings.IndexByte(alphabet, good[len(good)-1])
	return []row{
		forged("H38 unused bits", good[:len(good)-1]+alphabet[last|1:last|1+1]),
		forged("H38 padding", good+"=="),
		forged("H38 standard alphabet", parts[0]+"."+parts[1]+".+/"+parts[2][2:]),
	}
}
