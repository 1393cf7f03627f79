package mtls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

// Reasons for refusing a verified certificate.
var (
	errAuthority = errors.New("mtls: the client certificate is that of a certificate authority")
	errForeign   = errors.New("mtls: the trust domain of the client certificate is not among mtls.TrustDomains")
	errNameless  = errors.New("mtls: the client certificate has no SPIFFE ID; issue certificates with one, or say with mtls.Subject who it stands for")
	errNobody    = errors.New("mtls: the function given to mtls.Subject returned no subject, and no error")
)

// New returns the scheme of client certificates, for [authn.New]. Its name is "mtls".
func New(opts ...Option) authn.Scheme {
	c := &config{}
	for _, o := range opts {
		o.apply(c)
	}
	return authn.Certificate("mTLS", c.verify, c.scheme...)
}

// verify takes any of the chains: all lead from the same certificate to a root that
// the server trusts, and the one that lasts longest is as good as the others.
func (c *config) verify(_ context.Context, chains [][]*x509.Certificate) (*authn.Principal, error) {
	chain, expiry := lasting(chains)
	if len(chain) == 0 {
		return nil, errors.New("mtls: the connection has no verified chain")
	}
	subject, issuer, err := c.identify(chain)
	if err != nil {
		return nil, err
	}
	return authn.NewPrincipal(subject, authn.WithIssuer(issuer), authn.WithExpiry(expiry), authn.WithScheme("mtls")), nil
}

// identify returns who the certificate stands for, and who says so.
func (c *config) identify(chain []*x509.Certificate) (subject, issuer string, err error) {
	leaf := chain[0]
	if leaf.IsCA || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return "", "", errAuthority
	}
	if hasSPIFFE(leaf) {
		return c.identifyWorkload(leaf)
	}
	if c.subject == nil {
		return "", "", errNameless
	}
	subject, issuer, err = c.subject(chain)
	if err == nil && subject == "" {
		err = errNobody
	}
	return subject, issuer, err
}

// identifyWorkload reads an X.509-SVID. An ID that is broken, or one of two, is not
// passed on to other readings: the certificate claims to be what it is not.
func (c *config) identifyWorkload(leaf *x509.Certificate) (subject, issuer string, err error) {
	id, err := x509svid.IDFromCert(leaf)
	if err != nil {
		return "", "", fmt.Errorf("mtls: the client certificate is no X.509-SVID: %w", err)
	}
	if id.Path() == "" {
		return "", "", errAuthority // the ID of a trust domain itself
	}
	if c.domains != nil && !slices.Contains(c.domains, id.TrustDomain()) {
		return "", "", errForeign
	}
	return id.String(), id.TrustDomain().Name(), nil
}

func hasSPIFFE(leaf *x509.Certificate) bool {
	for _, u := range leaf.URIs {
		if strings.EqualFold(u.Scheme, "spiffe") {
			return true
		}
	}
	return false
}

// lasting returns the chain that lasts longest, and until when all of it is valid.
func lasting(chains [][]*x509.Certificate) (best []*x509.Certificate, until time.Time) {
	for _, chain := range chains {
		if len(chain) == 0 {
			continue
		}
		end := chain[0].NotAfter
		for _, cert := range chain[1:] {
			if cert.NotAfter.Before(end) {
				end = cert.NotAfter
			}
		}
		if best == nil || end.After(until) {
			best, until = chain, end
		}
	}
	return best, until
}

// Option changes what [New] does.
type Option interface{ apply(*config) }

type option func(*config)

func (f option) apply(c *config) { f(c) }

type config struct {
	domains []spiffeid.TrustDomain // nil: any
	subject func(chain []*x509.Certificate) (subject, issuer string, err error)
	scheme  []authn.SchemeOption
}

// TrustDomains accepts SPIFFE IDs of these trust domains only, such as
// "prod.example.org". The default is those of any: every certificate authority in
// tls.Config.ClientCAs is then trusted with the names of every trust domain.
// Repeating it adds more. It panics without a name, and for one that is not that of
// a trust domain.
func TrustDomains(names ...string) Option {
	if len(names) == 0 {
		panic("mtls.TrustDomains(): name at least one trust domain, or leave the option out")
	}
	domains := make([]spiffeid.TrustDomain, len(names))
	for i, name := range names {
		td, err := spiffeid.TrustDomainFromString(name)
		if err != nil {
			panic(fmt.Sprintf("mtls.TrustDomains(%q): use the name of a trust domain, such as prod.example.org: %v", name, err))
		}
		domains[i] = td
	}
	return option(func(c *config) { c.domains = append(c.domains, domains...) })
}

// Subject says who a certificate without a SPIFFE ID stands for, and who says so.
// identify gets the verified chain, the client's certificate first and the root last,
// which it must not change, and is called once per call by many goroutines at once. An
// error refuses the call and is for operators. The default is to refuse; the last one
// given counts. It panics for a nil function.
//
// Names of two certificate authorities are told apart by the issuer alone: return
// one that is not that of other schemes.
func Subject(identify func(chain []*x509.Certificate) (subject, issuer string, err error)) Option {
	if identify == nil {
		panic("mtls.Subject(nil): pass a function such as mtls.DNSName, or leave the option out")
	}
	return option(func(c *config) { c.subject = identify })
}

// YieldToOthers lets the certificate count only on calls without another credential;
// see [authn.YieldToOthers]. By default a call with both is refused.
func YieldToOthers() Option {
	return option(func(c *config) { c.scheme = append(c.scheme, authn.YieldToOthers()) })
}

// DNSName is a function for [Subject]: the subject is the only DNS name of the
// certificate, in lower case, and the issuer the distinguished name of the root. It
// refuses certificates with several names or wildcards. The common name is not read:
// it has no agreed meaning (RFC 9525 section 2).
func DNSName(chain []*x509.Certificate) (subject, issuer string, err error) {
	names := chain[0].DNSNames
	if len(names) != 1 || names[0] == "" || strings.Contains(names[0], "*") {
		return "", "", errors.New("mtls: the client certificate has not exactly one DNS name without wildcards")
	}
	return strings.ToLower(names[0]), chain[len(chain)-1].Subject.String(), nil
}
