package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/mtls"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

const orders = "spiffe://prod.example.org/orders"

// call runs a call over a connection whose certificate has been verified with these
// chains.
func call(scheme authn.Scheme, chains ...[]*x509.Certificate) (*authn.Principal, error) {
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}, VerifiedChains: chains}
	c, _ := interceptortest.NewCall(interceptortest.WithHooks(authn.New(scheme)), interceptortest.WithPeer(interceptor.Peer{TLS: state}))
	got := interceptortest.RunPhases(c, nil)
	p, _ := authn.Key.Get(c)
	return p, got.Err
}

// leaf is a certificate as it comes out of a verification.
func leaf(changes ...func(*x509.Certificate)) *x509.Certificate {
	c := template("common name")
	c.KeyUsage = x509.KeyUsageDigitalSignature
	for _, change := range changes {
		change(c)
	}
	return c
}

func dns(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	long := orders + "/" + strings.Repeat("x", 2048)
	tests := []struct {
		name    string
		leaf    *x509.Certificate
		opts    []mtls.Option
		subject string // "": refused
		issuer  string // or the reason
	}{
		{"SPIFFE ID", leaf(uris(orders)), nil, orders, "prod.example.org"},
		{"SPIFFE ID of a listed domain", leaf(uris(orders)), []mtls.Option{mtls.TrustDomains("prod.example.org")}, orders, "prod.example.org"},
		{"lists add up", leaf(uris(orders)), []mtls.Option{mtls.TrustDomains("a.example"), mtls.TrustDomains("b.example", "prod.example.org")}, orders, "prod.example.org"},
		{"SPIFFE ID of another domain", leaf(uris(orders)), []mtls.Option{mtls.TrustDomains("test.example.org", "example.org")}, "", "not among mtls.TrustDomains"},
		{"SPIFFE ID beside DNS names", leaf(uris(orders), dns("a.example", "b.example")), []mtls.Option{mtls.Subject(mtls.DNSName)}, orders, "prod.example.org"},
		{"two SPIFFE IDs", leaf(uris(orders, orders)), nil, "", "no X.509-SVID"},
		{"SPIFFE ID and another URI", leaf(uris(orders, "https://example.org/")), nil, "", "no X.509-SVID"},
		{"another URI and a SPIFFE ID", leaf(uris("https://example.org/", orders)), nil, "", "no X.509-SVID"},
		{"SPIFFE ID of a domain", leaf(uris("spiffe://prod.example.org")), nil, "", "certificate authority"},
		{"SPIFFE ID without a domain", leaf(uris("spiffe:///orders")), nil, "", "no X.509-SVID"},
		{"SPIFFE ID in upper case", leaf(uris("SPIFFE://PROD.example.org/orders")), nil, "", "no X.509-SVID"},
		{"SPIFFE ID with a query", leaf(uris(orders + "?x")), nil, "", "no X.509-SVID"},
		{"SPIFFE ID with a port", leaf(uris("spiffe://prod.example.org:443/orders")), nil, "", "no X.509-SVID"},
		{"SPIFFE ID with dots", leaf(uris("spiffe://prod.example.org/a/../orders")), nil, "", "no X.509-SVID"},
		{"SPIFFE ID with escapes", leaf(uris("spiffe://prod.example.org/%6frders")), nil, "", "no X.509-SVID"},
		{"SPIFFE ID of 2 KiB", leaf(uris(long)), nil, long, "prod.example.org"},
		{"a broken SPIFFE ID is not read otherwise", leaf(uris(orders, orders), dns("a.example")), []mtls.Option{mtls.Subject(mtls.DNSName)}, "", "no X.509-SVID"},
		{"an authority", leaf(uris(orders), func(c *x509.Certificate) { c.IsCA = true }), nil, "", "certificate authority"},
		{"a key that signs certificates", leaf(uris(orders), func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }), nil, "", "certificate authority"},
		{"a key that signs revocations", leaf(uris(orders), func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }), nil, "", "certificate authority"},
		{"DNS name", leaf(dns("a.example")), nil, "", "no SPIFFE ID"},
		{"common name", leaf(), nil, "", "no SPIFFE ID"},
		{"DNS name as subject", leaf(dns("A.example")), []mtls.Option{mtls.Subject(mtls.DNSName)}, "a.example", "CN=root"},
		{"two DNS names as subject", leaf(dns("a.example", "b.example")), []mtls.Option{mtls.Subject(mtls.DNSName)}, "", "exactly one DNS name"},
		{"wildcard as subject", leaf(dns("*.example")), []mtls.Option{mtls.Subject(mtls.DNSName)}, "", "exactly one DNS name"},
		{"empty DNS name as subject", leaf(dns("")), []mtls.Option{mtls.Subject(mtls.DNSName)}, "", "exactly one DNS name"},
		{"no DNS name as subject", leaf(), []mtls.Option{mtls.Subject(mtls.DNSName)}, "", "exactly one DNS name"},
		{"nobody", leaf(), []mtls.Option{mtls.Subject(func([]*x509.Certificate) (string, string, error) { return "", "", nil })}, "", "no subject"},
		{"an error", leaf(), []mtls.Option{mtls.Subject(func([]*x509.Certificate) (string, string, error) { return "x", "", errors.New("not mine") })}, "", "not mine"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := call(mtls.New(tt.opts...), []*x509.Certificate{tt.leaf, template("root")})
			if tt.subject == "" {
				if interceptor.StatusOf(err).Code() != codes.Unauthenticated || p != nil || !strings.Contains(err.Error(), tt.issuer) {
					t.Errorf("%v, %v; want a refusal: %s", p, err, tt.issuer)
				}
				return
			}
			if err != nil || p.Subject() != tt.subject || p.Issuer() != tt.issuer || p.Scheme() != "mtls" {
				t.Errorf("%v, %v; want %s of %s", p, err, tt.subject, tt.issuer)
			}
		})
	}
}

// TestExpiry checks that a principal ends with the first certificate of the chain
// that lasts longest.
func TestExpiry(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	until := func(hours ...int) (chain []*x509.Certificate) {
		for i, h := range hours {
			c := leaf()
			if i == 0 {
				c = leaf(uris(orders))
			}
			c.NotAfter = now.Add(time.Duration(h) * time.Hour)
			chain = append(chain, c)
		}
		return chain
	}
	tests := []struct {
		name   string
		chains [][]*x509.Certificate
		hours  int // 0: refused
	}{
		{"the client's is first", [][]*x509.Certificate{until(1, 2, 3)}, 1},
		{"the intermediate is first", [][]*x509.Certificate{until(3, 1, 2)}, 1},
		{"the root is first", [][]*x509.Certificate{until(3, 2, 1)}, 1},
		{"alone", [][]*x509.Certificate{until(4)}, 4},
		{"two chains", [][]*x509.Certificate{until(5, 1, 9), until(5, 2, 9)}, 2},
		{"two chains, the better one first", [][]*x509.Certificate{until(5, 3, 9), until(5, 2, 9)}, 3},
		{"an empty chain beside", [][]*x509.Certificate{until(5), {}}, 5},
		{"expired since the handshake", [][]*x509.Certificate{until(-1, 2)}, 0},
		{"intermediate expired since", [][]*x509.Certificate{until(1, -1, 2)}, 0},
	}
	for _, tt := range tests {
		p, err := call(mtls.New(), tt.chains...)
		if tt.hours == 0 {
			if err == nil || !strings.Contains(err.Error(), "has expired") {
				t.Errorf("%s: %v, %v; want a refusal", tt.name, p, err)
			}
			continue
		}
		if want := now.Add(time.Duration(tt.hours) * time.Hour); err != nil || !p.Expiry().Equal(want) {
			t.Errorf("%s: %v until %v, %v; want %v", tt.name, p, p.Expiry(), err, want)
		}
	}
}

func TestConstructionPanics(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		want string
		make func()
	}{
		"no domain":     {"mtls.TrustDomains()", func() { mtls.TrustDomains() }},
		"empty domain":  {`mtls.TrustDomains("")`, func() { mtls.TrustDomains("") }},
		"upper case":    {`mtls.TrustDomains("Prod")`, func() { mtls.TrustDomains("Prod") }},
		"with a port":   {"mtls.TrustDomains", func() { mtls.TrustDomains("a.example:443") }},
		"nil function":  {"mtls.Subject(nil)", func() { mtls.Subject(nil) }},
		"two of a kind": {"two schemes", func() { authn.New(mtls.New(), mtls.New()) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, tt.want) {
					t.Errorf("panicked with %q; want a text with %q", text, tt.want)
				}
			}()
			tt.make()
		})
	}
}

// FuzzSPIFFE checks that every ID that is accepted is the text of the certificate's
// only URI, byte by byte, in the trust domain that is the issuer.
func FuzzSPIFFE(f *testing.F) {
	for _, s := range []string{orders, "spiffe://a", "spiffe://a/b/c", "spiffe://a/./b", "Spiffe://a/b", "spiffe://u@a/b", "spiffe://a/b#c", "https://a/b", "spiffe:a/b"} {
		f.Add(s)
	}
	scheme := mtls.New(mtls.TrustDomains("prod.example.org", "a"))
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		c := leaf()
		c.URIs = []*url.URL{u}
		p, err := call(scheme, []*x509.Certificate{c})
		if err != nil {
			return
		}
		domain := strings.TrimPrefix(p.Subject(), "spiffe://")
		domain, path, _ := strings.Cut(domain, "/")
		if p.Subject() != u.String() || domain != p.Issuer() || domain != "a" && domain != "prod.example.org" || path == "" {
			t.Fatalf("%q is %v", text, p)
		}
	})
}
