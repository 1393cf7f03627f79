package oidc_test

import (
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/oidc"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

func bearing(token string) interceptortest.Request {
	return interceptortest.Request{Header: http.Header{"Authorization": {"Bearer " + token}}}
}

func lazy(t *testing.T, p *provider) *oidc.Verifier {
	t.Helper()
	v, err := oidc.New(t.Context(), p.URL, audience, patient(p, oidc.Lazy())...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestConformance holds the hook with this verifier to the rules that every hook has
// to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	v := lazy(t, p)
	if _, err := v.Verify(t.Context(), p.token()); err != nil {
		t.Fatal(err)
	}
	newHook := func() interceptor.Hook { return authn.New(authn.Bearer(v)) }
	interceptortest.Run(t, newHook, interceptortest.WithRequest(bearing(p.token())))
}

// TestEverywhere checks that a provider, and its absence, means the same on every
// transport.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	p, down := start(t, nil), start(t, nil)
	down.Close()
	for _, tt := range []struct {
		name, token string
		verifier    authn.Verifier
		code        codes.Code
		status      int
	}{
		{"good", p.token(), lazy(t, p), codes.OK, http.StatusOK},
		{"expired", tokentest.Ed25519().Token(p.claims(map[string]any{"exp": 1})), lazy(t, p), codes.Unauthenticated, http.StatusUnauthorized},
		{"provider down", down.token(), lazy(t, down), codes.Unavailable, http.StatusServiceUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hooks := []interceptor.Hook{authn.New(authn.Bearer(tt.verifier))}
			interceptortest.Each(t, hooks, bearing(tt.token), func(t *testing.T, got interceptortest.Result) {
				if got.Code != tt.code || got.Reached != (tt.code == codes.OK) || got.HTTPStatus != 0 && got.HTTPStatus != tt.status {
					t.Errorf("code %v, HTTP status %d, handler reached %v", got.Code, got.HTTPStatus, got.Reached)
				}
			})
		})
	}
}
