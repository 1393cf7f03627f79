package httpadapter_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// TestAcceptIsReadInBounds: whoever is refused chooses the header, but not what it costs
// to read.
func TestAcceptIsReadInBounds(t *testing.T) {
	t.Parallel()
	const problem = "application/problem+json"
	for accept, want := range map[string]string{
		strings.Repeat("a/b,", 63) + problem:                problem,
		strings.Repeat("a/b,", 64) + problem:                "application/json",
		problem + strings.Repeat(",a/b", 64):                problem,
		problem + ";x=" + strings.Repeat("y", 256):          "application/json",
		strings.Repeat(",", 1000) + problem:                 "application/json",
		"a/b;x=" + strings.Repeat("y", 256) + "," + problem: problem,
	} {
		h := httpadapter.Wrap(interceptor.MustNew(), httpadapter.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return errTest }))
		got := record(h, "GET", "/", func(r *http.Request) { r.Header.Set("Accept", accept) })
		if got := got.Header().Get("Content-Type"); got != want {
			t.Errorf("%.40s…: %q, want %q", accept, got, want)
		}
	}
}
