package httpadapter_test

import (
	"context"
	"net"
	"net/http"
	"testing"
)

// TestDotSegmentsUnderAWildcard refuses what http.ServeMux redirects only as long as it
// is not percent-encoded.
func TestDotSegmentsUnderAWildcard(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"/files/a/b": 200, "/files/..a/b": 200, "/files/%2e%2e/x": 400, "/files/..%2fx": 400, "/files/a/%2E": 400, "/files/a%5C..%5Cb": 400,
		"/one/..%2fx": 200, // one segment of the path, as the handler asked for
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			ran := 0
			h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran++ })
			mux := muxWith(tr.two(nil), "GET /files/{name...}", h)
			mux.Handle("GET /one/{name}", h)
			got := record(mux, "GET", path)
			if got.Code != want || (ran == 1) != (want == 200) {
				t.Errorf("got %d and the handler ran %d times, want %d", got.Code, ran, want)
			}
			if call := tr.end(t).call; want == 400 && call.Method() != nil {
				t.Errorf("the call was decided for %s", call.Method().Name())
			}
		})
	}
}

// TestPeerOnAUnixSocket has no address there, whatever the client has named its end.
func TestPeerOnAUnixSocket(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	record(muxWith(tr.two(nil), "/", http.NotFoundHandler()), "GET", "/", func(r *http.Request) {
		r.RemoteAddr = "10.0.0.7:80"
		*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Name: "s", Net: "unix"})))
	})
	peer := tr.end(t).call.Peer()
	if _, tcp := peer.Addr.(*net.TCPAddr); tcp || peer.Addr.String() != "10.0.0.7:80" {
		t.Errorf("the peer is a %T, %v; want a name", peer.Addr, peer.Addr)
	}
}
