package main

import (
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
}

// newAuthority makes an authority, and the certificate for all servers on this
// machine and at the addresses. The authority's key is forgotten: nobody can have
// it sign anything else.
func newAuthority(addrs ...net.Addr) (*authority, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(24 * time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "crosscut example, throw-away"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: ca.NotBefore, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: addresses(addrs),
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, cert, leafKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &authority{cert: cert, roots: roots, leaf: tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}}, nil
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

// httpClient returns a client that trusts this authority and no other.
func (a *authority) httpClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: a.client(), ForceAttemptHTTP2: true},
		Timeout:   10 * time.Second,
	}
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
