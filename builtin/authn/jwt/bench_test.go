package jwt_test

import (
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// ordinary is a token of 800 bytes and more, as identity providers make them.
func ordinary(k tokentest.Key) string {
	return k.Token(claims(map[string]any{"note": strings.Repeat("x", 300)}))
}

// TestHitAllocations holds a token that is remembered to its budget.
func TestHitAllocations(t *testing.T) {
	v, token := verifier(), ordinary(tokentest.RSA())
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	n := testing.AllocsPerRun(1000, func() {
		if _, err := v.Verify(ctx, token); err != nil {
			t.Error(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, k := range []tokentest.Key{tokentest.RSA(), tokentest.ECDSA(), tokentest.Ed25519()} {
		b.Run("hit/"+k.Algorithm, func(b *testing.B) { benchmark(b, ordinary(k)) })
		b.Run("miss/"+k.Algorithm, func(b *testing.B) { benchmark(b, ordinary(k), jwt.CacheSize(0)) })
	}
}

func benchmark(b *testing.B, token string, opts ...jwt.Option) {
	v, ctx := verifier(opts...), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefuse is what strangers cost.
func BenchmarkRefuse(b *testing.B) {
	v, ctx := verifier(), b.Context()
	good := ordinary(tokentest.RSA())
	for name, token := range map[string]string{
		"too long": strings.Repeat(good, 20), "not a token": strings.Repeat("x", 800), "unknown key": tokentest.NewECDSA("k9").Token(claims(nil)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(ctx, token); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
