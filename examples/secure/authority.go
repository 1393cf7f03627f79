package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// authority is a certificate authority that lives as long as the program: tokens
// must not travel without TLS, and TLS needs somebody to trust.
type authority struct {
	cert  *x509.Certificate
	roots *x509.CertPool
	leaf  tls.Certificate
	web   *http.Client // trusts this authority and no other
}

// newAuthority makes an authority, and the certificate for all servers on this
// machine and at the addresses. The authority's key is forgotten: nobody can have
// it sign anything else.
func newAuthority(addrs ...net.Addr) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate(1, "crosscut example, throw-away")
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	cert, err := issue(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}

	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template = certificate(2, "localhost")
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames, template.IPAddresses = []string{"localhost"}, addresses(addrs)
	leaf, err := issue(template, cert, leafKey.Public(), key)
	if err != nil {
		return nil, err
	}

	roots := x509.NewCertPool()
	roots.AddCert(cert)
	a := &authority{cert: cert, roots: roots, leaf: tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}}
	a.web = &http.Client{Transport: &http.Transport{TLSClientConfig: a.client(), ForceAttemptHTTP2: true}, Timeout: 10 * time.Second}
	return a, nil
}

// certificate is what all certificates have. They are good for a day.
func certificate(serial int64, name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(24 * time.Hour),
	}
}

func issue(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func addresses(addrs []net.Addr) []net.IP {
	ips := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	for _, addr := range addrs {
		if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
			ips = append(ips, tcp.IP)
		}
	}
	return ips
}

// server is the TLS configuration of every server of the example.
func (a *authority) server() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{a.leaf}}
}

// client is the TLS configuration of everybody who calls them.
func (a *authority) client() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: a.roots}
}

// write puts the certificate where curl and grpcurl can read it, and returns its
// name and what removes it again.
func (a *authority) write() (name string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "crosscut-secure-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	name = filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		remove()
		return "", nil, err
	}
	return name, remove, nil
}
