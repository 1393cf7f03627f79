package jwt_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

func TestScopesAndRoles(t *testing.T) {
	t.Parallel()
	type list = []string
	tests := []struct {
		name          string
		claims        map[string]any
		opts          []jwt.Option
		scopes, roles list
	}{
		{"scope", map[string]any{"scope": "items.write items.read"}, nil, list{"items.read", "items.write"}, nil},
		{"blanks", map[string]any{"scope": " a  a b "}, nil, list{"a", "b"}, nil},
		{"only blanks separate", map[string]any{"scope": "a,b\tc;d"}, nil, list{"a,b\tc;d"}, nil},
		{"scope as an array", map[string]any{"scope": list{"b", "a b"}}, nil, list{"a b", "b"}, nil},
		{"scp as an array", map[string]any{"scope": nil, "scp": list{"a", "b"}}, nil, list{"a", "b"}, nil},
		{"scp as a text", map[string]any{"scope": nil, "scp": "a b"}, nil, list{"a", "b"}, nil},
		{"scope and scp", map[string]any{"scope": "a", "scp": "b"}, nil, list{"a"}, nil},
		{"an empty scope and scp", map[string]any{"scope": "", "scp": "b"}, nil, nil, nil},
		{"scope null and scp", map[string]any{"scope": json.RawMessage("null"), "scp": "b"}, nil, list{"b"}, nil},
		{"scope a number", map[string]any{"scope": 1, "scp": "b"}, nil, nil, nil},
		{"scope an object", map[string]any{"scope": map[string]any{"a": true}}, nil, nil, nil},
		{"scope a mixed array", map[string]any{"scope": []any{"a", 1}}, nil, nil, nil},
		{"another claim", map[string]any{"permissions": list{"a"}}, []jwt.Option{jwt.Scopes("permissions")}, list{"a"}, nil},
		{"no claim", map[string]any{"scope": "a"}, []jwt.Option{jwt.Scopes()}, nil, nil},
		{"roles", map[string]any{"scope": nil, "roles": list{"user", "admin"}}, nil, nil, list{"admin", "user"}},
		{"roles in a text", map[string]any{"scope": nil, "roles": "user admin"}, nil, nil, nil},
		{"roles in a text with commas", map[string]any{"scope": nil, "roles": "user,admin"}, nil, nil, nil},
		{"roles in one element", map[string]any{"scope": nil, "roles": list{"user,admin"}}, nil, nil, list{"user,admin"}},
		{"a role with a blank", map[string]any{"scope": nil, "roles": list{"admin "}}, nil, nil, list{"admin "}},
		{"roles in an object", map[string]any{"scope": nil, "roles": map[string]any{"admin": true}}, nil, nil, nil},
		{"roles nested", map[string]any{"scope": nil, "roles": [][]string{{"admin"}}}, nil, nil, nil},
		{"roles mixed", map[string]any{"scope": nil, "roles": []any{"admin", true}}, nil, nil, nil},
		{"roles by path", map[string]any{"scope": nil, "realm": map[string]any{"roles": list{"admin"}}}, []jwt.Option{jwt.Roles("realm", "roles")}, nil, list{"admin"}},
		{"roles by a path that ends", map[string]any{"scope": nil, "realm": list{"admin"}}, []jwt.Option{jwt.Roles("realm", "roles")}, nil, nil},
		{"no roles", map[string]any{"scope": nil, "roles": list{"admin"}}, []jwt.Option{jwt.Roles()}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := verifier(tt.opts...).Verify(t.Context(), tokentest.Ed25519().Token(claims(tt.claims)))
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Collect(p.Scopes()); !slices.Equal(got, tt.scopes) {
				t.Errorf("scopes %q, want %q", got, tt.scopes)
			}
			if got := slices.Collect(p.Roles()); !slices.Equal(got, tt.roles) {
				t.Errorf("roles %q, want %q", got, tt.roles)
			}
		})
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	v := verifier()
	token := tokentest.Ed25519().Token(claims(map[string]any{"tenant": map[string]any{"id": "acme"}}))
	p, err := v.Verify(t.Context(), token)
	if err != nil || p.Subject() != "alice" || p.Issuer() != issuer || p.Scheme() != "" || !p.HasScope("items.read") {
		t.Fatalf("%v, %v", p, err)
	}
	tenant, _ := p.Claim("tenant")
	tenant.(map[string]any)["id"] = "evil"
	again, err := v.Verify(t.Context(), token)
	if err != nil || again != p {
		t.Fatalf("%v, %v; want the principal that is remembered", again, err)
	}
	if tenant, _ := again.Claim("tenant"); tenant.(map[string]any)["id"] != "acme" {
		t.Errorf("a caller has changed what another one gets: %v", tenant)
	}
}
