package httpadapter_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// TestDotSegmentsUnderAWildcard refuses what http.ServeMux redirects only as long as it
// is not percent-encoded, in every layer that decides by a pattern.
func TestDotSegmentsUnderAWildcard(t *testing.T) {
	t.Parallel()
	patterns := []string{"GET /files/{name...}", "GET /tree/", "GET /one/{name}"}
	layers := map[string]func(*interceptor.Stack, http.Handler) http.Handler{
		"mux": func(s *interceptor.Stack, h http.Handler) http.Handler {
			mux := httpadapter.NewMux(s)
			for _, p := range patterns {
				mux.Handle(p, h)
			}
			return mux
		},
		"bare mux": func(s *interceptor.Stack, h http.Handler) http.Handler {
			mux := http.NewServeMux()
			for _, p := range patterns {
				mux.Handle(p, h)
			}
			return httpadapter.Wrap(s, mux)
		},
		"router": func(s *interceptor.Stack, h http.Handler) http.Handler {
			return httpadapter.Wrap(s, h, httpadapter.Routes(func(r *http.Request) (string, bool) {
				if strings.HasPrefix(r.URL.Path, "/one/") {
					return "/one/{name}", true
				}
				return "/*", true
			}))
		},
	}
	for path, want := range map[string]int{
		"/files/a/b": 200, "/files/..a/b": 200, "/files/%2e%2e/x": 400, "/files/..%2fx": 400, "/files/a/%2E": 400, "/files/a%5C..%5Cb": 400,
		"/tree/a/b": 200, "/tree/..a/b": 200, "/tree/%2e%2e/x": 400, "/tree/a%2f..%2fx": 400,
		"/one/..%2fx": 200, // one segment of the path, as the handler asked for
	} {
		for layer, wrap := range layers {
			t.Run(layer+path, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				ran := 0
				got := record(wrap(tr.two(nil), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran++ })), "GET", path)
				if got.Code != want || (ran == 1) != (want == 200) {
					t.Errorf("got %d and the handler ran %d times, want %d", got.Code, ran, want)
				}
				if call := tr.end(t).call; want == 400 && call.Method() != nil {
					t.Errorf("the call was decided for %s", call.Method().Name())
				}
			})
		}
	}
}

// TestDotSegmentsOfAWholeHandler are its own business: there is one decision for all.
func TestDotSegmentsOfAWholeHandler(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	got := record(httpadapter.Wrap(tr.two(nil), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), "GET", "/a/%2e%2e/x")
	if got.Code != http.StatusOK {
		t.Errorf("got %d", got.Code)
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
