package authn_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

func full() *authn.Principal {
	return authn.NewPrincipal("alice",
		authn.WithIssuer("https://issuer.test"),
		authn.WithScheme("bearer"),
		authn.WithScopes("write", "read", "", "read"),
		authn.WithScopes("audit"),
		authn.WithRoles("admin"),
		authn.WithClaims(map[string]any{"email": "alice@example.test", "groups": []any{"a", map[string]any{"k": "v"}}}),
		authn.WithExpiry(time.Unix(1, 0)))
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	p := full()
	if p.Subject() != "alice" || p.Issuer() != "https://issuer.test" || p.Scheme() != "bearer" || !p.Expiry().Equal(time.Unix(1, 0)) {
		t.Errorf("facts differ: %v, expiry %v", p, p.Expiry())
	}
	if got := slices.Collect(p.Scopes()); !slices.Equal(got, []string{"audit", "read", "write"}) {
		t.Errorf("scopes %q; want each once, in order", got)
	}
	if got := slices.Collect(p.Roles()); !slices.Equal(got, []string{"admin"}) {
		t.Errorf("roles %q", got)
	}
	if email, ok := p.Claim("email"); !ok || email != "alice@example.test" {
		t.Errorf("claim email: %v, %v", email, ok)
	}
	if _, ok := p.Claim("phone"); ok {
		t.Error("a claim that was never made is there")
	}
}

func TestScopesCompareExactly(t *testing.T) {
	t.Parallel()
	p := authn.NewPrincipal("alice", authn.WithScopes("items.read"), authn.WithRoles("user admin"))
	for _, scope := range []string{"", "items", "items.", "items.readwrite", "Items.Read", "items.read ", "xitems.read", "items.read,items.write"} {
		if p.HasScope(scope) {
			t.Errorf("HasScope(%q) is true for items.read alone", scope)
		}
	}
	for _, role := range []string{"", "user", "admin", "USER ADMIN"} {
		if p.HasRole(role) {
			t.Errorf("HasRole(%q) is true for %q alone", role, "user admin")
		}
	}
	if !p.HasScope("items.read") || !p.HasRole("user admin") {
		t.Error("the very scope or role is not found")
	}
}

func TestPrincipalIsImmutable(t *testing.T) {
	t.Parallel()
	scopes, claims := []string{"read"}, map[string]any{"list": []any{"a"}, "map": map[string]any{"k": "v"}, "strings": []string{"s"}}
	p := authn.NewPrincipal("alice", authn.WithScopes(scopes...), authn.WithClaims(claims))
	change := func(m map[string]any) {
		list, _ := m["list"].([]any)
		list[0] = "changed"
		inner, _ := m["map"].(map[string]any)
		inner["k"] = "changed"
		words, _ := m["strings"].([]string)
		words[0] = "changed"
		m["new"] = true
	}
	scopes[0] = "admin"
	change(claims)
	change(p.Claims())
	if v, _ := p.Claim("map"); v != nil {
		inner, _ := v.(map[string]any)
		inner["k"] = "changed"
	}
	want := `map[list:[a] map:map[k:v] strings:[s]]`
	if got := fmt.Sprint(p.Claims()); got != want || p.HasScope("admin") {
		t.Errorf("the principal changed with what it was made of, or with what it gave out: %s, want %s", got, want)
	}
}

func TestNilPrincipalAllowsNothing(t *testing.T) {
	t.Parallel()
	var p *authn.Principal
	_, claimed := p.Claim("sub")
	if p.Subject() != "" || p.Issuer() != "" || p.Scheme() != "" || p.HasScope("") || p.HasRole("") || claimed ||
		p.Claims() != nil || !p.Expiry().IsZero() || len(slices.Collect(p.Scopes())) > 0 || len(slices.Collect(p.Roles())) > 0 {
		t.Error("a nil principal has something")
	}
	if p.String() != "nobody" || p.LogValue().String() != "nobody" {
		t.Error("a nil principal is not called nobody")
	}
}

func TestFromWithoutACall(t *testing.T) {
	t.Parallel()
	if p, ok := authn.From(t.Context()); ok || p != nil {
		t.Errorf("%v, %v; want nothing", p, ok)
	}
}

func TestClaimsStayOutOfText(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "who", full())
	for _, text := range []string{full().String(), fmt.Sprintf("%v %+v", full(), full()), log.String()} {
		if strings.Contains(text, "example.test") || !strings.Contains(text, "alice") || !strings.Contains(text, "https://issuer.test") {
			t.Errorf("%q; want subject and issuer, and no claims", text)
		}
	}
	if got := authn.NewPrincipal("bob").String(); got != "bob" {
		t.Errorf("a principal with a subject alone is %q", got)
	}
}
