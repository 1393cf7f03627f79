package ecosystem_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// pki is a certificate authority with a server and a client.
type pki struct {
	roots          *x509.CertPool
	server, client tls.Certificate
}

func newPKI(t *testing.T) *pki {
	t.Helper()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root := issue(t, ca, ca, nil)
	p := &pki{roots: x509.NewCertPool()}
	p.roots.AddCert(root.Leaf)
	p.server = issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, root.Leaf, root.PrivateKey)
	p.client = issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "client"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, root.Leaf, root.PrivateKey)
	return p
}

// issue makes a certificate that parent signs with key, or itself without one.
func issue(t *testing.T, template, parent *x509.Certificate, key any) tls.Certificate {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if key == nil {
		key = own
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &own.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own, Leaf: leaf}
}

// serverConfig is for TLS, or mutual TLS.
func (p *pki) serverConfig(mutual bool) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{p.server}, ClientCAs: p.roots, MinVersion: tls.VersionTLS12}
	if mutual {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c
}

// clientConfig is for a client that has the certificate, or none.
func (p *pki) clientConfig(certificate bool) *tls.Config {
	c := &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12}
	if certificate {
		c.Certificates = []tls.Certificate{p.client}
	}
	return c
}

// witness notes what a hook sees of the connection.
type witness struct{ seen chan string }

func (w *witness) hook() interceptor.Hook {
	return interceptor.FromFuncs("witness", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			w.seen <- describe(call)
			return ctx, nil
		},
	})
}

func describe(call *interceptor.Call) string {
	state := call.Peer().TLS
	switch {
	case state == nil:
		return call.Scheme() + " without TLS"
	case len(state.VerifiedChains) == 0:
		return call.Scheme() + " HTTP/" + call.Protocol() + " nobody"
	default:
		return call.Scheme() + " HTTP/" + call.Protocol() + " " + state.PeerCertificates[0].Subject.CommonName
	}
}

// Hooks see the TLS state and the verified certificate of gRPC clients, and calls
// of all kinds work. Whoever has no certificate where one is asked for never
// becomes a call.
func TestTLSOverGRPC(t *testing.T) {
	t.Parallel()
	keys := newPKI(t)
	for _, w := range []string{"Server", "Guard", "ServerOptions", "mounted"} {
		for mutual, want := range map[bool]string{false: "https HTTP/2 nobody", true: "https HTTP/2 client"} {
			t.Run(w+"/"+want, func(t *testing.T) {
				t.Parallel()
				l, wit := newLedger(), &witness{make(chan string, 100)}
				addr := serveTLS(t, w, interopService(l.stack(t, wit.hook()), service{}), keys.serverConfig(mutual))
				conn := dial(t, addr, grpc.WithTransportCredentials(credentials.NewTLS(keys.clientConfig(mutual))))
				n := traffic(t, conn)
				if mutual {
					stranger := dial(t, addr, grpc.WithTransportCredentials(credentials.NewTLS(keys.clientConfig(false))))
					if _, err := testpb.NewTestServiceClient(stranger).EmptyCall(t.Context(), &testpb.Empty{}); status.Code(err) != codes.Unavailable {
						t.Errorf("without a certificate: %v, want %v", err, codes.Unavailable)
					}
				}
				l.balance(t, n)
				for range n {
					if got := <-wit.seen; got != want {
						t.Errorf("a hook sees %q, want %q", got, want)
					}
				}
			})
		}
	}
}

// serveTLS serves s in one of the ways and returns its address.
func serveTLS(t *testing.T, way string, s service, config *tls.Config) string {
	t.Helper()
	creds := grpc.Creds(credentials.NewTLS(config))
	switch way {
	case "Server":
		srv := grpcadapter.NewServer(s.stack, creds)
		s.register(srv)
		return serveGRPC(t, srv)
	case "mounted":
		srv := grpcadapter.NewServer(s.stack)
		s.register(srv)
		mux := httpadapter.NewMux(s.stack)
		mux.Handle("/", srv)
		return serveHTTPS(t, mux, config)
	}
	srv := grpc.NewServer(append(grpcadapter.ServerOptions(s.stack), creds)...)
	if way == "Guard" {
		s.register(grpcadapter.Guard(s.stack, srv))
	} else {
		s.register(srv)
	}
	return serveGRPC(t, srv)
}

// serveHTTPS is serveHTTP with TLS.
func serveHTTPS(t *testing.T, h http.Handler, config *tls.Config) string {
	t.Helper()
	srv := &http.Server{Handler: h, TLSConfig: config, Protocols: new(http.Protocols), ErrorLog: quietLog}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(true)
	return serveWith(t, srv, func(lis net.Listener) error { return srv.ServeTLS(lis, "", "") })
}

// The same over HTTP/1.1 and HTTP/2 without gRPC.
func TestTLSOverHTTP(t *testing.T) {
	t.Parallel()
	keys := newPKI(t)
	for version, choose := range map[string]func(*http.Protocols, bool){"1.1": (*http.Protocols).SetHTTP1, "2": (*http.Protocols).SetHTTP2} {
		for mutual, who := range map[bool]string{false: "nobody", true: "client"} {
			t.Run(version+"/"+who, func(t *testing.T) {
				t.Parallel()
				l, wit := newLedger(), &witness{make(chan string, 100)}
				mux := httpadapter.NewMux(l.stack(t, wit.hook()))
				route(mux, nil)
				addr := serveHTTPS(t, mux, keys.serverConfig(mutual))
				client := func(certificate bool) *http.Client {
					transport := &http.Transport{TLSClientConfig: keys.clientConfig(certificate), Protocols: new(http.Protocols)}
					choose(transport.Protocols, true)
					t.Cleanup(transport.CloseIdleConnections)
					return &http.Client{Transport: transport}
				}
				if code, body := fetch(t, client(mutual), http.MethodGet, "https://"+addr+"/plain/7", ""); code != http.StatusOK || body != "7" {
					t.Errorf("%d %q; want 200, 7", code, body)
				}
				if mutual {
					if resp, err := client(false).Get("https://" + addr + "/plain/7"); err == nil {
						_ = resp.Body.Close()
						t.Errorf("without a certificate: %s, want no answer", resp.Status)
					}
				}
				l.balance(t, 1)
				if got, want := <-wit.seen, "https HTTP/"+version+" "+who; got != want {
					t.Errorf("a hook sees %q, want %q", got, want)
				}
			})
		}
	}
}
