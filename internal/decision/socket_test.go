package decision_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/internal/decision"
)

// Of every batch that goes through sockets, each call goes over every transport that can carry it.
const (
	socketBatches       = 8
	socketCallsPerBatch = 4 * worldsPerBatch
)

// TestSockets sends the same calls over every transport, with real servers and clients: each answer is the model's, so
// all are the same.
func TestSockets(t *testing.T) {
	t.Parallel()
	total := newCount()
	for batch := range uint64(socketBatches) {
		g := decision.NewGenerator(*seed, 1<<32+batch)
		server := g.Server()
		worlds := make([]decision.World, worldsPerBatch)
		for i := range worlds {
			worlds[i] = g.World(&server)
		}
		r := newRig(t, server, worlds, plant{})
		s := newSite(t, r)
		transports := append(append(r.phases(), s.direct(r)...), s.sockets(t, r)...)
		for i := range socketCallsPerBatch {
			m := r.served[i%len(r.served)]
			call := g.Call(m.World)
			if g.Choose(4) > 0 { // most over sockets, where clients have no certificates
				call.Sent.Certificate, call.Sent.OfClient = decision.NoCertificate, nil
			}
			for j := range transports {
				if !transports[j].carries(m, &call) {
					continue
				}
				if d := r.compare(m, &transports[j], &call, &total); d != nil {
					t.Errorf("seed %d, batch %d: %v", *seed, batch, d)
				}
			}
		}
	}
	t.Logf("%d calls: %v", total.all(), total.transport)
}

// sockets starts servers, and returns the transports of clients that are connected to them.
func (s *site) sockets(t *testing.T, r *rig) []transport {
	t.Helper()
	rpc := listen(t, func(l net.Listener) error { return s.grpc.Serve(l) }, s.grpc.Stop)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	web := &http.Server{Handler: s.mux, Protocols: protocols, ErrorLog: log.New(io.Discard, "", 0)}
	addr := listen(t, web.Serve, func() { _ = web.Close() })
	base := "http://" + addr
	http1, http2 := client(t, (*http.Protocols).SetHTTP1), client(t, (*http.Protocols).SetUnencryptedHTTP2)
	return []transport{
		{name: "gRPC", send: s.rpc(r, dial(t, rpc))},
		{name: "mounted, HTTP/2", send: s.rpc(r, dial(t, addr))},
		{name: "REST, HTTP/1.1", unary: true, send: s.rest(r, base, http1)},
		{name: "REST, HTTP/2", unary: true, send: s.rest(r, base, http2)},
		{name: "plain, HTTP/1.1", via: viaRoute, send: s.plainly(r, base, http1)},
		{name: "plain, HTTP/2", via: viaRoute, send: s.plainly(r, base, http2)},
	}
}

// listen serves on a free port until the test ends, and returns its address.
func listen(t *testing.T, serve func(net.Listener) error, stop func()) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = serve(listener) // that it was stopped
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return listener.Addr().String()
}

func dial(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func client(t *testing.T, protocol func(*http.Protocols, bool)) do {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols)}
	protocol(tr.Protocols, true)
	t.Cleanup(tr.CloseIdleConnections)
	return func(req *http.Request) (*http.Response, error) {
		req.TLS = nil // it says nothing about the connection of a client
		return tr.RoundTrip(req)
	}
}
