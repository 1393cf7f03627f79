package rig

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// MaxMessage is the largest message of any benchmark with room for its envelope.
const MaxMessage = 2 << 20

// Loopback serves the conformance service over TCP and returns a connection to it,
// and what ends both.
func Loopback(srv contender.Server) (conn *grpc.ClientConn, stop func(), err error) {
	pb.RegisterConformanceServiceServer(srv, contender.Service{})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("cannot listen for a benchmark: %w", err)
	}
	go func() { _ = srv.Serve(lis) }() // Stop ends it
	conn, err = grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		srv.Stop()
		return nil, nil, err
	}
	return conn, func() { _ = conn.Close(); srv.Stop() }, nil
}

// LoopbackHTTP serves h over TCP and returns a function that makes a request to
// path and reads its answer, and what ends the server.
func LoopbackHTTP(h http.Handler, path string, header http.Header) (call func() error, stop func()) {
	srv := httptest.NewServer(h)
	client := srv.Client()
	return func() error {
		r, err := http.NewRequest(http.MethodGet, srv.URL+path, http.NoBody)
		if err != nil {
			return err
		}
		r.Header = header
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s answers %s", path, resp.Status)
		}
		_ = resp.Body.Close()
		return err
	}, srv.Close
}

// Nowhere is a response writer that costs nothing.
type Nowhere struct {
	Headers http.Header
	Status  int
}

// Header returns the headers.
func (w *Nowhere) Header() http.Header { return w.Headers }

// WriteHeader keeps the status.
func (w *Nowhere) WriteHeader(status int) { w.Status = status }

// Write drops the bytes.
func (w *Nowhere) Write(b []byte) (int, error) {
	if w.Status == 0 {
		w.Status = http.StatusOK
	}
	return len(b), nil
}

// Reset makes w as good as new, so that headers of one response do not pile up in
// the next ones.
func (w *Nowhere) Reset() {
	clear(w.Headers)
	w.Status = 0
}
