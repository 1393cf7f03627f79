package authn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

// knows takes the common name for the subject.
func knows(_ context.Context, chains [][]*x509.Certificate) (*authn.Principal, error) {
	return authn.NewPrincipal(chains[0][0].Subject.CommonName), nil
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}}
}

// verified is a connection with a certificate that the server verified.
func verified() *tls.ConnectionState {
	leaf := certificate("orders")
	return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf, certificate("root")}}}
}

var keys = authn.StaticTokens(map[string]string{"K_svc": "svc-1"})

// everywhere are schemes of every place.
func everywhere(certificates ...authn.SchemeOption) []authn.Scheme {
	return []authn.Scheme{
		authn.Certificate("mTLS", knows, certificates...), // first, to show that the order changes nothing
		authn.Bearer(tokens, authn.Parameter("realm", `the "shop"`), authn.Parameter("x", `\`)),
		authn.Header("ApiKey", "X-Api-Key", keys),
		authn.Header("Partner", "x_partner", keys),
	}
}

var challenges = []string{"mTLS", `Bearer realm="the \"shop\"", x="\\"`, `ApiKey header="x-api-key"`, `Partner header="x_partner"`}

func TestEveryPlace(t *testing.T) {
	t.Parallel()
	stack := quiet(authn.New(everywhere()...))
	tests := []struct {
		name            string
		header          http.Header
		tls             *tls.ConnectionState
		subject, scheme string
	}{
		{"token", bearing("Bearer T_reader"), nil, "alice", "bearer"},
		{"key", http.Header{"X-Api-Key": {"K_svc"}}, nil, "svc-1", "apikey"},
		{"another key", http.Header{"X_partner": {"K_svc"}}, nil, "svc-1", "partner"},
		{"certificate", nil, verified(), "orders", "mtls"},
		{"token over TLS", bearing("Bearer T_reader"), &tls.ConnectionState{}, "alice", "bearer"},
	}
	for _, tt := range tests {
		c := admitOver(t.Context(), t, stack, unary, &wire{request: tt.header, tls: tt.tls})
		p, _ := authn.Key.Get(c)
		if c.Err() != nil || p.Subject() != tt.subject || p.Scheme() != tt.scheme {
			t.Errorf("%s: %v, %v; want %s by %s", tt.name, p, c.Err(), tt.subject, tt.scheme)
		}
	}
}

func TestOneCredentialOneValueOnePlace(t *testing.T) {
	t.Parallel()
	good := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	unverified := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate("orders")}}
	tests := []struct {
		name   string
		header http.Header
		tls    *tls.ConnectionState
		reason string
	}{
		{"nothing", nil, nil, "no credential"},
		{"nothing over TLS", nil, &tls.ConnectionState{}, "no credential"},
		{"two keys", good("X-Api-Key", "K_svc", "X-Api-Key", "K_other"), nil, "more than one value"},
		{"one key twice", good("X-Api-Key", "K_svc", "X-Api-Key", "K_svc"), nil, "more than one value"},
		{"keys in two headers", good("X-Api-Key", "K_svc", "X_partner", "K_svc"), nil, "more than one place"},
		{"keys joined by a comma", good("X-Api-Key", "K_svc,K_other"), nil, "characters that no credential has"},
		{"empty key", good("X-Api-Key", ""), nil, "empty header"},
		{"blank key", good("X-Api-Key", " "), nil, "characters that no credential has"},
		{"key with a scheme", good("X-Api-Key", "ApiKey K_svc"), nil, "characters that no credential has"},
		{"key of a megabyte", good("X-Api-Key", strings.Repeat("K", 1<<20)), nil, "longer than 8 KiB"},
		{"key as a scheme", good("Authorization", "ApiKey K_svc"), nil, "not accepted here"},
		{"token in the header for keys", good("X-Api-Key", "T_reader"), nil, "not one of those"},
		{"token and key", good("Authorization", "Bearer T_reader", "X-Api-Key", "K_svc"), nil, "more than one place"},
		{"token and empty key", good("Authorization", "Bearer T_reader", "X-Api-Key", ""), nil, "more than one place"},
		{"empty token and key", good("Authorization", "", "X-Api-Key", "K_svc"), nil, "more than one place"},
		{"unknown scheme and key", good("Authorization", "Digest x", "X-Api-Key", "K_svc"), nil, "more than one place"},
		{"token and certificate", good("Authorization", "Bearer T_reader"), verified(), "more than one place"},
		{"key and certificate", good("X-Api-Key", "K_svc"), verified(), "more than one place"},
		{"malformed token and certificate", good("Authorization", "Bearer"), verified(), "more than one place"},
		{"token and a certificate that is not verified", good("Authorization", "Bearer T_reader"), unverified, "more than one place"},
		{"certificate that is not verified", nil, unverified, "was not verified"},
		{"certificate with an empty chain", nil, &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}, "was not verified"},
		{"binary twin of a key", good("X-Api-Key-Bin", "K_svc"), nil, "no credential"},
		{"key as metadata of a gateway", good("Grpc-Metadata-X-Api-Key", "K_svc"), nil, "no credential"},
		{"key with other separators", good("X_api_key", "K_svc", "X.api.key", "K_svc"), nil, "no credential"},
	}
	stack := quiet(authn.New(everywhere()...))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := admitOver(t.Context(), t, stack, unary, &wire{request: tt.header, tls: tt.tls})
			checkRefusal(t, c, challenges...)
			if !strings.Contains(c.Err().Error(), tt.reason) || strings.Contains(c.Err().Error(), "K_") || strings.Contains(c.Err().Error(), "T_") {
				t.Errorf("operators get %q; want the reason %q and no credential", c.Err(), tt.reason)
			}
		})
	}
}

// TestAuthorizationAlwaysCounts checks that a caller who uses Authorization is not
// identified by something else: another reader may believe what stands there.
func TestAuthorizationAlwaysCounts(t *testing.T) {
	t.Parallel()
	stack := quiet(authn.New(authn.Header("ApiKey", "X-Api-Key", keys)))
	c := admit(t, stack, unary, http.Header{"Authorization": {"Bearer T_reader"}, "X-Api-Key": {"K_svc"}})
	checkRefusal(t, c, `ApiKey header="x-api-key"`)
}

// TestOtherPlacesAreIgnored checks that what no listed scheme reads is no credential.
func TestOtherPlacesAreIgnored(t *testing.T) {
	t.Parallel()
	stack := quiet(authn.New(authn.Bearer(tokens)))
	c := admitOver(t.Context(), t, stack, unary, &wire{request: http.Header{"Authorization": {"Bearer T_reader"}, "X-Api-Key": {"K_svc"}}, tls: verified()})
	if p, _ := authn.Key.Get(c); c.Err() != nil || p.Subject() != "alice" {
		t.Errorf("%v, %v; want alice", p, c.Err())
	}
}

func TestYieldToOthers(t *testing.T) {
	t.Parallel()
	stack := quiet(authn.New(everywhere(authn.YieldToOthers())...))
	subject := func(header http.Header, state *tls.ConnectionState) string {
		c := admitOver(t.Context(), t, stack, unary, &wire{request: header, tls: state})
		p, _ := authn.Key.Get(c)
		return p.Subject()
	}
	if got := subject(bearing("Bearer T_reader"), verified()); got != "alice" {
		t.Errorf("token and certificate: %q, want alice", got)
	}
	if got := subject(nil, verified()); got != "orders" {
		t.Errorf("certificate alone: %q, want orders", got)
	}
	for _, value := range []string{"Bearer T_nobody", "Bearer", "", "Digest x"} {
		if got := subject(bearing(value), verified()); got != "" {
			t.Errorf("Authorization %q and a certificate: %q; a bad credential must not fall back to another", value, got)
		}
	}
}

func TestCertificateVerifierOutcomes(t *testing.T) {
	t.Parallel()
	fail := func(f authn.CertificateVerifier) *interceptor.Call {
		return admitOver(t.Context(), t, quiet(authn.New(authn.Certificate("mTLS", f))), unary, &wire{tls: verified()})
	}
	revoked := errors.New("serial 17 is revoked")
	c := fail(func(context.Context, [][]*x509.Certificate) (*authn.Principal, error) { return nil, revoked })
	checkRefusal(t, c, "mTLS")
	if !errors.Is(c.Err(), revoked) || !strings.Contains(c.Err().Error(), "the verifier refused: serial 17 is revoked") {
		t.Errorf("operators get %v; want the reason", c.Err())
	}
	checkRefusal(t, fail(func(context.Context, [][]*x509.Certificate) (*authn.Principal, error) { return nil, nil }), "mTLS")
	c = fail(func(context.Context, [][]*x509.Certificate) (*authn.Principal, error) { panic("boom") })
	if c.Code() != codes.Internal || !c.Denied() {
		t.Errorf("code %v, denied %v after a panic; want Internal, true", c.Code(), c.Denied())
	}
}
