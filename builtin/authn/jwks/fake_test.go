package jwks_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

const (
	issuer   = "https://issuer.test"
	audience = "items-api"
)

// server serves what its handler says over TLS and counts the requests.
type server struct {
	*httptest.Server
	asked   atomic.Int64
	handler atomic.Value // of type http.HandlerFunc
}

func serve(t testing.TB, handler http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.handler.Store(handler)
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.handler.Load().(http.HandlerFunc)(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// answer is a handler that sends a text.
func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// set returns the key set of a server. A busy machine has time for the fetch.
func (s *server) set(opts ...jwks.Option) *jwks.Set {
	return jwks.New(s.URL+"/keys", append([]jwks.Option{jwks.Client(s.Client()), jwks.Timeout(time.Minute)}, opts...)...)
}

func verifier(keys jwt.KeySet) *jwt.Verifier {
	return jwt.New(keys, jwt.Issuer(issuer), jwt.Audience(audience))
}

func token(k tokentest.Key) string {
	return k.Token(map[string]any{"iss": issuer, "aud": audience, "sub": "alice", "exp": time.Now().Unix() + 3600})
}

// mentions tells whether text contains one of the alternatives, which | separates.
func mentions(text, alternatives string) bool {
	return slices.ContainsFunc(strings.Split(alternatives, "|"), func(a string) bool { return strings.Contains(text, a) })
}
