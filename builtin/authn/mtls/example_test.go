package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/mtls"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

func Example() {
	hook := authn.New(mtls.New(mtls.TrustDomains("prod.example.org")))

	// A server with tls.Config{ClientCAs: …, ClientAuth: tls.RequireAndVerifyClientCert}
	// hands verified chains to the hook. Here they are made up.
	for _, name := range []string{"spiffe://prod.example.org/orders", "spiffe://test.example.org/orders"} {
		id, _ := url.Parse(name)
		leaf := template("leaf")
		leaf.URIs = []*url.URL{id}
		state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}}}
		call, _ := interceptortest.NewCall(interceptortest.WithHooks(hook), interceptortest.WithPeer(interceptor.Peer{TLS: state}))
		got := interceptortest.RunPhases(call, nil)
		p, _ := authn.Key.Get(call)
		fmt.Println(p, interceptor.StatusOf(got.Err).Code())
	}

	// Output:
	// spiffe://prod.example.org/orders of prod.example.org (mtls) OK
	// nobody Unauthenticated
}
