package authn_test

import (
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestConformance holds the hook to the rules that every hook has to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return authn.New(everywhere()...) },
		interceptortest.WithRequest(interceptortest.Request{Header: bearing("Bearer T_reader"), Message: "hello"}))
}

// TestCredentialsEverywhere sends the hostile credentials that a real client can
// send, on every transport.
func TestCredentialsEverywhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		header  http.Header
		subject string // "": refused
	}{
		{"none", nil, ""},
		{"two, reader first", bearing("Bearer T_reader", "Bearer T_admin"), ""},
		{"two, admin first", bearing("Bearer T_admin", "Bearer T_reader"), ""},
		{"two equal ones", bearing("Bearer T_reader", "Bearer T_reader"), ""},
		{"one beside metadata of a gateway", http.Header{"Authorization": {"Bearer T_reader"}, "Grpc-Metadata-Authorization": {"Bearer T_admin"}}, "alice"},
		{"metadata of a gateway alone", http.Header{"Grpc-Metadata-Authorization": {"Bearer T_admin"}}, ""},
		{"mixed case", bearing("bEaReR T_reader"), "alice"},
		{"joined by a comma", bearing("Bearer T_reader, Bearer T_admin"), ""},
		{"binary twin", http.Header{"Authorization-Bin": {"Bearer T_admin"}}, ""},
		{"no scheme", bearing("T_reader"), ""},
		{"basic", bearing("Basic VF9yZWFkZXI6VF9yZWFkZXI="), ""},
		{"scheme alone", bearing("Bearer"), ""},
		{"empty", bearing(""), ""},
		{"key", http.Header{"X-Api-Key": {"K_svc"}}, "svc-1"},
		{"key, last byte changed", http.Header{"X-Api-Key": {"K_svd"}}, ""},
		{"key, cut short", http.Header{"X-Api-Key": {"K_sv"}}, ""},
		{"key, upper case", http.Header{"X-Api-Key": {"K_SVC"}}, ""},
		{"key, one byte more", http.Header{"X-Api-Key": {"K_svcx"}}, ""},
		{"two keys", http.Header{"X-Api-Key": {"K_svc", "K_svc"}}, ""},
		{"key and token", http.Header{"X-Api-Key": {"K_svc"}, "Authorization": {"Bearer T_reader"}}, ""},
	}
	hooks := []interceptor.Hook{authn.New(everywhere()...)}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Each(t, hooks, interceptortest.Request{Header: tt.header}, func(t *testing.T, got interceptortest.Result) {
				if tt.subject != "" {
					if p, _ := authn.Key.Get(got.Call); got.Code != codes.OK || !got.Reached || p.Subject() != tt.subject {
						t.Errorf("code %v, principal %v; want OK for %s", got.Code, p, tt.subject)
					}
					return
				}
				checkAnswer(t, got)
			})
		})
	}
}

// checkAnswer checks what a refused client got.
func checkAnswer(t *testing.T, got interceptortest.Result) {
	t.Helper()
	if got.Code != codes.Unauthenticated || got.Reached || got.HTTPStatus != 0 && got.HTTPStatus != http.StatusUnauthorized {
		t.Errorf("code %v, HTTP status %d, reached %v; want UNAUTHENTICATED", got.Code, got.HTTPStatus, got.Reached)
	}
	values := append(got.Header.Values("WWW-Authenticate"), got.Trailer.Values("WWW-Authenticate")...)
	if len(values) != len(challenges) {
		t.Errorf("WWW-Authenticate %q, want %q", values, challenges)
	}
	for i, v := range values {
		if v != challenges[i] {
			t.Errorf("WWW-Authenticate %q, want %q", values, challenges)
		}
	}
}
