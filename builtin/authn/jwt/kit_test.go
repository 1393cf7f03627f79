package jwt_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// down is a key set that cannot be reached.
type down struct{}

func (down) Version() uint64 { return 0 }
func (down) Key(context.Context, string) (jwt.Key, error) {
	return jwt.Key{}, interceptor.NewError(codes.Unavailable, "no keys: dial tcp 10.1.2.3:443: connection refused")
}

func bearing(token string) interceptortest.Request {
	return interceptortest.Request{Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// TestConformance holds the hook with this verifier to the rules that every hook has
// to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return authn.New(authn.Bearer(verifier())) }, interceptortest.WithRequest(bearing(tokentest.Ed25519().Token(claims(nil)))))
}

// TestEverywhere checks that a token means the same on every transport.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	k := tokentest.Ed25519()
	good := k.Token(claims(nil))
	nobody := jwt.New(down{}, jwt.Issuer(issuer), jwt.Audience(audience))
	for _, tt := range []struct {
		name, token string
		verifier    authn.Verifier
		code        codes.Code
		status      int
	}{
		{"good", good, verifier(), codes.OK, http.StatusOK},
		{"expired", k.Token(claims(map[string]any{"exp": time.Now().Unix() - 60})), verifier(), codes.Unauthenticated, http.StatusUnauthorized},
		{"forged", good[:len(good)-86] + tokentest.Encode(string(make([]byte, 64))), verifier(), codes.Unauthenticated, http.StatusUnauthorized},
		{"keys not available", good, nobody, codes.Unavailable, http.StatusServiceUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hooks := []interceptor.Hook{authn.New(authn.Bearer(tt.verifier))}
			interceptortest.Each(t, hooks, bearing(tt.token), func(t *testing.T, got interceptortest.Result) {
				if got.Code != tt.code || got.Reached != (tt.code == codes.OK) || got.HTTPStatus != 0 && got.HTTPStatus != tt.status {
					t.Errorf("code %v, HTTP status %d, handler reached %v", got.Code, got.HTTPStatus, got.Reached)
				}
				p, _ := authn.Key.Get(got.Call)
				if got.Reached && (p.Subject() != "alice" || p.Scheme() != "bearer" || !slices.Contains(slices.Collect(p.Scopes()), "items.read")) {
					t.Errorf("the principal is %v", p)
				}
			})
		})
	}
}
