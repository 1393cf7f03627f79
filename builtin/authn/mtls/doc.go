// Package mtls authenticates callers by the client certificate of their connection
// (mutual TLS).
//
//	hook := authn.New(mtls.New(mtls.TrustDomains("prod.example.org")))
//
// It works on gRPC, REST and net/http alike, behind a server whose tls.Config asks for
// certificates and verifies them:
//
//	&tls.Config{ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
//
// With tls.VerifyClientCertIfGiven, callers without a certificate may use other
// schemes. A certificate that the server did not verify is refused. Where a proxy ends
// TLS, the connection is the proxy's: its certificate says who the proxy is, and
// headers in which it repeats the client's are not read.
//
// # Who it is
//
// The subject is the SPIFFE ID of the certificate, such as
// "spiffe://prod.example.org/orders", and the issuer its trust domain. A certificate
// that has a SPIFFE ID must be an X.509-SVID of a workload: exactly one URI among its
// names, and not a certificate authority.
//
// A certificate without one is refused, because nothing else in a certificate has one
// agreed meaning. [Subject] says how to read others; [DNSName] is such a reading.
//
// Whoever can issue below one of ClientCAs can issue any name, also one of another
// trust domain. [TrustDomains] closes that for servers that know their callers.
//
// # When it ends
//
// The principal expires with the first certificate of its chain, the root included;
// streams end then. Revocation is not checked: use short lives, or check it in
// tls.Config.VerifyConnection.
//
// # In a mesh
//
// A call with a certificate and a token carries two credentials and is refused.
// Where every connection has a certificate there are two ways: list this scheme
// alone, or give it [YieldToOthers] and list the scheme of the tokens beside it.
// Where it is not listed, certificates are ignored.
package mtls
