package grpcadapter_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestDefaultHeader checks that a default never overrides the handler's value,
// and that Vary merges, in headers and trailers.
func TestDefaultHeader(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
					h, tl := c.ResponseHeader(), c.ResponseTrailer()
					return ctx, errors.Join(
						h.SetDefault("x-mine", "hook"), h.SetDefault("X-Theirs", "hook"), h.SetDefault("x-removed", "hook"),
						h.Del("x-removed"), h.SetDefault("vary", "origin"), h.SetDefault("vary", "Accept"),
						tl.SetDefault("x-mine", "hook"), tl.SetDefault("x-theirs", "hook"))
				}
				p[2].response = func(_ context.Context, c *interceptor.Call) error {
					return c.ResponseHeader().SetDefault("x-mine", "too late: the first default counts")
				}
			})
			client := start(t, stack, &service{
				unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
					return &pb.UnaryResponse{}, errors.Join(
						grpc.SetHeader(ctx, metadata.Pairs("x-theirs", "handler", "vary", "accept")),
						grpc.SetTrailer(ctx, metadata.Pairs("x-theirs", "handler")))
				},
				serverStream: func(_ *pb.ServerStreamRequest, ss serverStreamServer) error {
					return errors.Join(theirs(ss), ss.Send(&pb.ServerStreamResponse{}))
				},
				clientStream: func(ss clientStreamServer) error {
					return errors.Join(theirs(ss), ss.SendAndClose(&pb.ClientStreamResponse{}))
				},
				bidiStream: func(ss bidiStreamServer) error { return theirs(ss) },
			})
			got := kind.call(within(t), client)
			tr.end(t)
			wantValues(t, "header", got.header, "x-mine", "hook")
			wantValues(t, "header", got.header, "x-theirs", "handler")
			wantValues(t, "header", got.header, "x-removed")
			wantValues(t, "header", got.header, "vary", "accept", "origin")
			wantValues(t, "trailer", got.trailer, "x-mine", "hook")
			wantValues(t, "trailer", got.trailer, "x-theirs", "handler")
		})
	}
}

func theirs(ss grpc.ServerStream) error {
	ss.SetTrailer(metadata.Pairs("x-theirs", "handler"))
	return ss.SetHeader(metadata.Pairs("x-theirs", "handler", "vary", "accept"))
}

// TestHandedOverHeader checks that a key that has gone to grpc-go can get more
// values but not change, and that nothing is dropped in silence.
func TestHandedOverHeader(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			var set, del, add, fresh error
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
					return ctx, c.ResponseHeader().Set("x-early", "1")
				}
				p[0].handler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					return ctx, c.ResponseHeader().Set("X-Early", "2") // still ours
				}
				p[0].response = func(_ context.Context, c *interceptor.Call) error {
					h := c.ResponseHeader()
					set, del, add, fresh = h.Set("X-Early", "3"), h.Del("x-early"), h.Add("x-early", "4"), h.Set("x-late", "5")
					return nil
				}
			})
			got := kind.call(within(t), start(t, stack, &service{}))
			call := tr.end(t)
			if !errors.Is(set, interceptor.ErrCommitted) || !errors.Is(del, interceptor.ErrCommitted) || add != nil || fresh != nil {
				t.Errorf("Set %v, Del %v, Add %v, a fresh key %v", set, del, add, fresh)
			}
			wantValues(t, "header", got.header, "x-early", "2", "4")
			wantValues(t, "header", got.header, "x-late", "5")
			if err := call.ResponseHeader().Set("x", "y"); !errors.Is(err, interceptor.ErrCommitted) {
				t.Errorf("Set after the end: %v", err)
			}
		})
	}
}

// TestManyHeaders checks that values stay with their keys, however many there are.
func TestManyHeaders(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
					h, tl := c.ResponseHeader(), c.ResponseTrailer()
					return ctx, errors.Join(
						h.Set("x-a", "1"), h.Set("x-b", "2"), h.Add("x-a", "3"), h.Set("x-c", "4"), h.Add("x-b", "5"), h.Set("x-c", "6"),
						tl.Set("x-a", "7"), tl.Set("x-b", "8"), tl.Add("x-a", "9"))
				}
				p[0].response = func(_ context.Context, c *interceptor.Call) error {
					h, tl := c.ResponseHeader(), c.ResponseTrailer()
					return errors.Join(h.Set("x-d", "10"), h.Add("x-a", "11"), h.SetDefault("x-e", "12"), tl.Set("x-d", "13"))
				}
			})
			got := kind.call(within(t), start(t, stack, &service{}))
			tr.end(t)
			wantValues(t, "header", got.header, "x-a", "1", "3", "11")
			wantValues(t, "header", got.header, "x-b", "2", "5")
			wantValues(t, "header", got.header, "x-c", "6")
			wantValues(t, "header", got.header, "x-d", "10")
			wantValues(t, "header", got.header, "x-e", "12")
			wantValues(t, "trailer", got.trailer, "x-a", "7", "9")
			wantValues(t, "trailer", got.trailer, "x-b", "8")
			wantValues(t, "trailer", got.trailer, "x-d", "13")
		})
	}
}

// TestHeaderThatGRPCCannotCarry is refused at once.
func TestHeaderThatGRPCCannotCarry(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	refused := map[string]error{}
	stack := threeProbes(t, tr, func(p [3]*probe) {
		p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
			for _, key := range []string{"Content-Type", "grpc-status", "te", "Connection", "Content-Length"} {
				refused[key] = c.ResponseHeader().Set(key, "x")
			}
			refused["value"] = c.ResponseTrailer().Set("x-text", "grüße")
			return ctx, c.ResponseHeader().Set("x-raw-bin", "grüße")
		}
	})
	got := callUnary(within(t), start(t, stack, &service{}))
	tr.end(t)
	for what, err := range refused {
		if err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	wantValues(t, "header", got.header, "x-raw-bin", "grüße")
}

// TestHeadersAfterSendHeader checks that hooks' headers go with the handler's
// SendHeader on streams, and that on unary calls, where grpc-go does not show
// it, what comes too late is reported.
func TestHeadersAfterSendHeader(t *testing.T) {
	t.Parallel()
	set := func(_ context.Context, c *interceptor.Call) error { return c.ResponseHeader().Set("x-late", "1") }
	t.Run("stream", func(t *testing.T) {
		t.Parallel()
		tr := newTrace()
		var again error
		client := start(t, threeProbes(t, tr, func(p [3]*probe) { p[0].response = set }), &service{bidiStream: func(ss bidiStreamServer) error {
			err := ss.SendHeader(metadata.Pairs("x-own", "1"))
			again = ss.SendHeader(nil)
			return err
		}})
		got := callBidiStream(within(t), client)
		tr.end(t)
		wantValues(t, "header", got.header, "x-late", "1")
		wantValues(t, "header", got.header, "x-own", "1")
		wantTrace(t, tr, "BR123 BH123 RS321 AR321")
		if again == nil {
			t.Error("the second SendHeader passed; grpc-go refuses it")
		}
	})
	t.Run("unary", func(t *testing.T) {
		t.Parallel()
		var reported error
		hook := interceptor.FromFuncs("h", interceptor.Funcs{BeforeResponse: set})
		stack := interceptor.MustNew(hook).ReportTo(func(_ context.Context, _ *interceptor.Call, err error) { reported = err })
		client := start(t, stack, &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			return &pb.UnaryResponse{}, grpc.SendHeader(ctx, nil)
		}})
		got := callUnary(within(t), client)
		wantValues(t, "header", got.header, "x-late")
		if reported == nil {
			t.Error("a dropped header was not reported")
		}
	})
}

// TestDeletedRequestHeader hides a key from later hooks and the handler.
func TestDeletedRequestHeader(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			var before, after []string
			var fromMD metadata.MD
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[0].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
					before = c.RequestHeader().Values("X-Secret")
					c.RequestHeader().Del("X-Secret")
					return ctx, nil
				}
				p[1].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
					after = c.RequestHeader().Values("x-secret")
					fromMD, _ = grpcadapter.MetadataFrom(c)
					return ctx, nil
				}
			})
			var seen metadata.MD
			client := start(t, stack, everyKind(func(ctx context.Context) error {
				seen, _ = metadata.FromIncomingContext(ctx)
				return nil
			}))
			kind.call(outgoing(t, "x-secret", "1", "x-secret", "2", "x-open", "3"), client)
			tr.end(t)
			if len(before) != 2 || before[0] != "1" || before[1] != "2" || len(after) != 0 {
				t.Errorf("before %q, after %q", before, after)
			}
			for what, md := range map[string]metadata.MD{"handler": seen, "MetadataFrom": fromMD} {
				wantValues(t, what, md, "x-secret")
				wantValues(t, what, md, "x-open", "3")
			}
		})
	}
}

// TestFacts checks what a call tells about itself, with and without TLS.
func TestFacts(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			var opts []grpc.ServerOption
			var dial []grpc.DialOption
			if secure {
				server, client := selfSigned(t)
				opts = append(opts, grpc.Creds(credentials.NewTLS(server)))
				dial = append(dial, grpc.WithTransportCredentials(credentials.NewTLS(client)))
			}
			srv := grpcadapter.NewServer(threeProbes(t, tr, nil), opts...)
			pb.RegisterConformanceServiceServer(srv, &service{})
			conn := serve(t, srv, append(dial, grpc.WithAuthority("shop.example"))...)
			if got := callUnary(within(t), pb.NewConformanceServiceClient(conn)); got.message != "" {
				t.Fatal(got.message)
			}
			c := tr.end(t) // facts stay readable after the end
			scheme := map[bool]string{false: "http", true: "https"}[secure]
			got := []string{c.Transport().String(), c.Protocol(), c.Path(), c.Authority(), c.Scheme(), c.HTTPMethod(), c.Route()}
			want := []string{"grpc", "2", unaryName, "shop.example", scheme, "", ""}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("facts %q, want %q", got, want)
					break
				}
			}
			p := c.Peer()
			if p.Addr == nil || (p.TLS != nil) != secure || c.HTTPStatus() != 0 || c.Duration() <= 0 {
				t.Errorf("peer %+v, HTTP status %d, duration %v", p, c.HTTPStatus(), c.Duration())
			}
			if c.Request().(*pb.UnaryRequest).GetText() != "a" || c.Response().(*pb.UnaryResponse).GetText() != "a" {
				t.Errorf("messages %v, %v", c.Request(), c.Response())
			}
			if s := c.Sent(); s.Messages != 1 || s.Bytes != 3 {
				t.Errorf("sent %+v, want one message of 3 bytes", s)
			}
			if _, ok := grpcadapter.MetadataFrom(nil); ok {
				t.Error("MetadataFrom(nil) found metadata")
			}
			if _, ok := grpcadapter.MetadataFrom(new(interceptor.Call)); ok {
				t.Error("MetadataFrom of a zero call found metadata")
			}
		})
	}
}

// selfSigned makes TLS configurations for a server and its client.
func selfSigned(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"shop.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS13},
		&tls.Config{RootCAs: pool, ServerName: "shop.example", MinVersion: tls.VersionTLS13}
}
