package jwks_test

import (
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

func bearing(token string) interceptortest.Request {
	return interceptortest.Request{Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// TestConformance holds the hook with these keys to the rules that every hook has to
// keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(tokentest.JWKS(tokentest.Ed25519())))
	set := s.set()
	if err := set.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	newHook := func() interceptor.Hook { return authn.New(authn.Bearer(verifier(set))) }
	interceptortest.Run(t, newHook, interceptortest.WithRequest(bearing(token(tokentest.Ed25519()))))
}

// TestEverywhere checks that the keys of a real server mean the same on every
// transport, and their absence too.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	k := tokentest.Ed25519()
	expired := k.Token(map[string]any{"iss": issuer, "aud": audience, "sub": "alice", "exp": time.Now().Unix() - 60})
	up := serve(t, answer(tokentest.JWKS(k))).set()
	broken := serve(t, http.NotFound)
	down := serve(t, answer(tokentest.JWKS(k)))
	down.Close()
	for _, tt := range []struct {
		name, token string
		set         *jwks.Set
		code        codes.Code
		status      int
	}{
		{"good", token(k), up, codes.OK, http.StatusOK},
		{"expired", expired, up, codes.Unauthenticated, http.StatusUnauthorized},
		{"unknown key", token(tokentest.NewECDSA("k9")), up, codes.Unauthenticated, http.StatusUnauthorized},
		{"no keys", token(k), broken.set(), codes.Unavailable, http.StatusServiceUnavailable},
		{"server down", token(k), down.set(), codes.Unavailable, http.StatusServiceUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hooks := []interceptor.Hook{authn.New(authn.Bearer(verifier(tt.set)))}
			interceptortest.Each(t, hooks, bearing(tt.token), func(t *testing.T, got interceptortest.Result) {
				if got.Code != tt.code || got.Reached != (tt.code == codes.OK) || got.HTTPStatus != 0 && got.HTTPStatus != tt.status {
					t.Errorf("code %v, HTTP status %d, handler reached %v", got.Code, got.HTTPStatus, got.Reached)
				}
			})
		})
	}
	t.Cleanup(func() { // after the parallel subtests
		if n := broken.asked.Load(); n != 1 {
			t.Errorf("the broken server was asked %d times by a call on every transport, want once", n)
		}
	})
}
