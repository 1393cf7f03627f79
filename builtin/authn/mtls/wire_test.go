package mtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/mtls"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConformance runs the kit, whose connections have no TLS, with the scheme beside
// another.
func TestConformance(t *testing.T) {
	t.Parallel()
	tokens := authn.StaticTokens(map[string]string{"T": "alice"})
	interceptortest.Run(t, func() interceptor.Hook { return authn.New(mtls.New(), authn.Bearer(tokens)) },
		interceptortest.WithRequest(interceptortest.Request{Header: http.Header{"Authorization": {"Bearer T"}}, Message: "hello"}))
}

// TestEverywhereWithoutTLS checks that calls over connections without TLS, and
// without a connection, are refused on every transport.
func TestEverywhereWithoutTLS(t *testing.T) {
	t.Parallel()
	interceptortest.Each(t, []interceptor.Hook{authn.New(mtls.New())}, interceptortest.Request{}, func(t *testing.T, got interceptortest.Result) {
		challenge := append(got.Header.Values("WWW-Authenticate"), got.Trailer.Values("WWW-Authenticate")...)
		if got.Code != codes.Unauthenticated || got.Reached || len(challenge) != 1 || challenge[0] != "mTLS" {
			t.Errorf("code %v, reached %v, WWW-Authenticate %q; want UNAUTHENTICATED", got.Code, got.Reached, challenge)
		}
	})
}

// transports serve a handler that answers with the caller's subject over real TLS.
// Each returns a client that makes one call over a connection of its own.
var transports = map[string]func(*testing.T, *interceptor.Stack, *tls.Config) client{
	"grpc": serveGRPC,
	"http1": func(t *testing.T, s *interceptor.Stack, c *tls.Config) client {
		return serveHTTP(t, plain(s), c, false)
	},
	"http2": func(t *testing.T, s *interceptor.Stack, c *tls.Config) client { return serveHTTP(t, plain(s), c, true) },
	"rest": func(t *testing.T, s *interceptor.Stack, c *tls.Config) client {
		return serveHTTP(t, rest(t, s), c, false)
	},
	"rest/h2": func(t *testing.T, s *interceptor.Stack, c *tls.Config) client {
		return serveHTTP(t, rest(t, s), c, true)
	},
	"rest/bare": func(t *testing.T, s *interceptor.Stack, c *tls.Config) client {
		return serveHTTP(t, bare(t, s), c, true)
	},
}

// client returns the subject that the handler saw, or the code of the refusal;
// errBroken for a connection that did not come about.
type client func(ctx context.Context, config *tls.Config, header map[string]string) (subject string, code codes.Code, err error)

// TestCertificates presents good and bad certificates to servers of every kind.
func TestCertificates(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root", nil, 24)
	below := newAuthority(t, "below", root, 12)
	stranger := newAuthority(t, "root", nil, 24)
	good := below.issue(t, uris(orders))
	certificates := map[string]struct {
		cert     *tls.Certificate
		verifies bool
		subject  string
	}{
		"none":       {nil, true, ""},
		"good":       {&good, true, orders},
		"root's own": {ptr(root.issue(t, uris(orders))), true, orders},
		"nameless":   {ptr(below.issue(t, dns("orders.example.org"))), true, ""},
		"another's":  {ptr(below.issue(t, uris("spiffe://test.example.org/orders"))), true, ""},
		"expired": {ptr(below.issue(t, func(c *x509.Certificate) {
			uris(orders)(c)
			c.NotAfter = time.Now().Add(-time.Minute)
		})), false, ""},
		"not yet valid": {ptr(below.issue(t, func(c *x509.Certificate) {
			uris(orders)(c)
			c.NotBefore = time.Now().Add(time.Minute)
		})), false, ""},
		"of a server": {ptr(below.issue(t, func(c *x509.Certificate) {
			uris(orders)(c)
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})), false, ""},
		"of a stranger": {ptr(stranger.issue(t, uris(orders))), false, ""},
	}
	stack := interceptor.MustNew(authn.New(mtls.New(mtls.TrustDomains("prod.example.org"))))
	for _, mode := range []tls.ClientAuthType{tls.NoClientCert, tls.RequestClientCert, tls.RequireAnyClientCert, tls.VerifyClientCertIfGiven, tls.RequireAndVerifyClientCert} {
		for transport, serve := range transports {
			t.Run(mode.String()+"/"+transport, func(t *testing.T) {
				t.Parallel()
				call := serve(t, stack, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{root.server(t)}, ClientCAs: root.pool(), ClientAuth: mode})
				for name, c := range certificates {
					config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: root.pool(), GetClientCertificate: present(c.cert)}
					subject, code, err := call(t.Context(), config, nil)
					broken := mode >= tls.VerifyClientCertIfGiven && !c.verifies ||
						c.cert == nil && (mode == tls.RequireAnyClientCert || mode == tls.RequireAndVerifyClientCert)
					want, admitted := codes.Unauthenticated, ""
					if mode >= tls.VerifyClientCertIfGiven && c.subject != "" {
						want, admitted = codes.OK, c.subject
					}
					switch {
					case broken && !errors.Is(err, errBroken):
						t.Errorf("%s: %v, %q, %v; want no connection", name, code, subject, err)
					case !broken && (err != nil || code != want || subject != admitted):
						t.Errorf("%s: %v, %q, %v; want %v, %q", name, code, subject, err, want, admitted)
					}
				}
			})
		}
	}
}

// TestMesh checks the two ways of having certificates on every connection.
func TestMesh(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root", nil, 24)
	sidecar := root.issue(t, uris(orders))
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: root.pool(), GetClientCertificate: present(&sidecar)}
	bearer := authn.Bearer(authn.StaticTokens(map[string]string{"T": "alice"}))
	token, wrong := map[string]string{"Authorization": "Bearer T"}, map[string]string{"Authorization": "Bearer U"}
	tests := []struct {
		name    string
		schemes []authn.Scheme
		header  map[string]string
		subject string
	}{
		{"both listed, both presented", []authn.Scheme{mtls.New(), bearer}, token, ""},
		{"both listed, certificate alone", []authn.Scheme{mtls.New(), bearer}, nil, orders},
		{"yielding, both presented", []authn.Scheme{mtls.New(mtls.YieldToOthers()), bearer}, token, "alice"},
		{"yielding, wrong token", []authn.Scheme{mtls.New(mtls.YieldToOthers()), bearer}, wrong, ""},
		{"yielding, certificate alone", []authn.Scheme{mtls.New(mtls.YieldToOthers()), bearer}, nil, orders},
		{"certificates alone, both presented", []authn.Scheme{mtls.New()}, token, ""},
		{"certificates not listed", []authn.Scheme{bearer}, token, "alice"},
		{"certificates not listed, certificate alone", []authn.Scheme{bearer}, nil, ""},
	}
	for _, tt := range tests {
		for transport, serve := range transports {
			t.Run(tt.name+"/"+transport, func(t *testing.T) {
				t.Parallel()
				call := serve(t, interceptor.MustNew(authn.New(tt.schemes...)), &tls.Config{
					MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{root.server(t)}, ClientCAs: root.pool(), ClientAuth: tls.RequireAndVerifyClientCert,
				})
				subject, code, err := call(t.Context(), config, tt.header)
				if err != nil || subject != tt.subject || (code == codes.OK) != (tt.subject != "") {
					t.Errorf("%v, %q, %v; want %q", code, subject, err, tt.subject)
				}
			})
		}
	}
}

// present sends the certificate whatever authorities the server asks for.
func present(cert *tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if cert == nil {
			return &tls.Certificate{}, nil
		}
		return cert, nil
	}
}

func ptr[T any](v T) *T { return &v }

var errBroken = errors.New("the connection did not come about")

// service answers with the subject.
type service struct {
	pb.UnimplementedConformanceServiceServer
}

// Unary answers with the subject.
func (service) Unary(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	p, _ := authn.From(ctx)
	return &pb.UnaryResponse{Text: p.Subject()}, nil
}

func serveGRPC(t *testing.T, stack *interceptor.Stack, config *tls.Config) client {
	srv := grpcadapter.NewServer(stack, grpc.Creds(credentials.NewTLS(config)))
	pb.RegisterConformanceServiceServer(srv, service{})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- srv.Serve(lis) }()
	t.Cleanup(func() {
		srv.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // stopped before it served
			t.Error(err)
		}
	})
	return func(ctx context.Context, config *tls.Config, header map[string]string) (string, codes.Code, error) {
		conn, err := grpc.NewClient("passthrough:///"+lis.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(config)))
		if err != nil {
			return "", 0, err
		}
		defer func() { _ = conn.Close() }()
		reply, err := pb.NewConformanceServiceClient(conn).Unary(metadata.NewOutgoingContext(ctx, metadata.New(header)), &pb.UnaryRequest{})
		if status.Code(err) == codes.Unavailable {
			return "", 0, errors.Join(errBroken, err)
		}
		return reply.GetText(), status.Code(err), nil
	}
}

func plain(stack *interceptor.Stack) http.Handler {
	mux := httpadapter.NewMux(stack)
	mux.HandleFunc("GET /v1/conformance/{id}", func(w http.ResponseWriter, r *http.Request) {
		p, _ := authn.From(r.Context())
		_ = json.NewEncoder(w).Encode(map[string]string{"text": p.Subject()})
	})
	return mux
}

// bare is a gateway without a mux of ours around it.
func bare(t *testing.T, stack *interceptor.Stack) http.Handler {
	srv := grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(srv, service{})
	t.Cleanup(srv.Stop)
	gw := gateway.New(stack, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(context.Background(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		t.Fatal(err)
	}
	return gw
}

func rest(t *testing.T, stack *interceptor.Stack) http.Handler {
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", bare(t, stack))
	return mux
}

func serveHTTP(t *testing.T, handler http.Handler, config *tls.Config, http2 bool) client {
	srv := httptest.NewUnstartedServer(handler)
	srv.TLS, srv.EnableHTTP2 = config.Clone(), http2
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return func(ctx context.Context, config *tls.Config, header map[string]string) (string, codes.Code, error) {
		transport := &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: http2}
		defer transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/v1/conformance/1", http.NoBody)
		if err != nil {
			return "", 0, err
		}
		for k, v := range header {
			r.Header.Set(k, v)
		}
		resp, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			return "", 0, errors.Join(errBroken, err)
		}
		defer func() { _ = resp.Body.Close() }()
		if (resp.ProtoMajor == 2) != http2 {
			t.Errorf("the response came over %s", resp.Proto)
		}
		var answer struct{ Text string }
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return "", 0, err
		}
		return answer.Text, interceptor.CodeFromHTTPStatus(resp.StatusCode), nil
	}
}
