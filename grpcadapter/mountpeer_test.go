package grpcadapter_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestMountedPeer holds the peer of a mounted call to an address that hooks can decide
// by. On a Unix socket there is none, however the client has named its end.
func TestMountedPeer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ network, want string }{{"tcp", "*net.TCPAddr"}, {"unix", "no address"}} {
		t.Run(tc.network, func(t *testing.T) {
			t.Parallel()
			peers, texts := make(chan net.Addr, 1), make(chan string, 1)
			stack := interceptor.MustNew(interceptor.FromFuncs("peer", interceptor.Funcs{AfterResponse: func(_ context.Context, call *interceptor.Call) {
				peers <- call.Peer().Addr
				texts <- call.RemoteAddr()
			}}))
			srv := grpcadapter.NewServer(stack)
			pb.RegisterConformanceServiceServer(srv, &service{})
			conn := mountedOn(t, srv, tc.network)
			if _, err := pb.NewConformanceServiceClient(conn).Unary(within(t), &pb.UnaryRequest{}); err != nil {
				t.Fatal(err)
			}
			got, text := "no address", ""
			if addr, ok := (<-peers).(*net.TCPAddr); ok {
				if got = "*net.TCPAddr"; !addr.IP.IsLoopback() {
					t.Errorf("the peer is %v", addr)
				}
				text = addr.String()
			}
			if got != tc.want {
				t.Errorf("the peer is %s, want %s", got, tc.want)
			}
			if remote := <-texts; remote != text {
				t.Errorf("the remote address is %q, want %q", remote, text)
			}
		})
	}
}

// mountedOn serves h over a network without TLS. On a Unix socket the client's end has
// a name that looks like an address.
func mountedOn(t *testing.T, h http.Handler, network string) *grpc.ClientConn {
	t.Helper()
	address, dir := "127.0.0.1:0", t.TempDir()
	if network == "unix" {
		address = filepath.Join(dir, "s")
	}
	lis, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewUnstartedServer(h)
	_ = ts.Listener.Close()
	ts.Listener = looksLikeAnAddress{lis}
	ts.Config.Protocols = new(http.Protocols)
	ts.Config.Protocols.SetUnencryptedHTTP2(true)
	ts.Start()
	t.Cleanup(ts.Close)
	conn, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, lis.Addr().String())
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// looksLikeAnAddress is a listener whose clients on Unix sockets have bound their ends
// to names as if they were proxies.
type looksLikeAnAddress struct{ net.Listener }

func (l looksLikeAnAddress) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil || l.Addr().Network() != "unix" {
		return conn, err //nolint:wrapcheck // it stands for the other listener
	}
	return named{conn}, nil
}

type named struct{ net.Conn }

func (named) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "10.0.0.7:80", Net: "unix"} }
