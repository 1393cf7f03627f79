package authn

import (
	"context"
	"crypto/x509"
	"fmt"
)

// CertificateVerifier tells who a client certificate stands for. [New] calls it as
// it calls a [Verifier], with the same meaning of principals and errors.
//
// The chains are those that crypto/tls built and verified during the handshake of
// the connection: at least one, each with the client's certificate first and a root
// of tls.Config.ClientCAs last. They are shared and must not be changed. A
// connection lives longer than a handshake, so the principal's expiry should be that
// of its chain.
type CertificateVerifier func(ctx context.Context, chains [][]*x509.Certificate) (*Principal, error)

// Certificate is the scheme of client certificates (mutual TLS). It reads the
// connection of the caller, also that of a REST call; calls that a handler makes
// through an in-process connection have none. A certificate that the server asked
// for and did not verify (tls.RequestClientCert, tls.RequireAnyClientCert) is refused.
//
// The name is what policies and principals call the scheme, in lower case. It panics
// for a name that is not a word and for a nil verify.
func Certificate(name string, verify CertificateVerifier, opts ...SchemeOption) Scheme {
	if !word(name) {
		panic(fmt.Sprintf("authn.Certificate(%q): use letters, digits and - for the name of a scheme, such as mTLS", name))
	}
	if verify == nil {
		panic(fmt.Sprintf("authn.Certificate(%q): the verifier is nil; pass one, or use package mtls", name))
	}
	return newScheme(Scheme{name: name, certificates: verify}, opts)
}
