package hostile_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// TestFloodOfUnknownKeys is H29: tokens that name keys which do not exist make nobody
// fetch the key set, and good ones pass all the while.
func TestFloodOfUnknownKeys(t *testing.T) {
	t.Parallel()
	for _, d := range []door{wire, rest} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			var fetches atomic.Int64
			provider := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fetches.Add(1)
				_, _ = w.Write([]byte(tokentest.JWKS(tokentest.RSA(), tokentest.ECDSA(), tokentest.Ed25519())))
			}))
			t.Cleanup(provider.Close)
			set := jwks.New(provider.URL, jwks.Client(provider.Client()))
			s := newSite(t, d, options{auth: authn.New(authn.Bearer(verifier(set)))})
			good, _, _ := get.over(d)
			good.fields = append(good.fields, bearer(reader()))
			s.answered(t, s.client().ask(good), allowed) // fetches
			n := (row{}).repeat(d) * 2
			var crowd sync.WaitGroup
			for range 50 {
				crowd.Go(func() { s.flood(t, n, good) })
			}
			crowd.Wait()
			if got := fetches.Load(); got > 2 {
				t.Errorf("the key set was fetched %d times: the first time, and at most once in 30 seconds because of unknown keys", got)
			}
		})
	}
}

// flood sends n tokens of keys that nobody has, and now and then a good one.
func (s *site) flood(t *testing.T, n int, good ask) {
	bad, _, _ := get.over(s.door)
	bad.fields = append(bad.fields, "")
	c := s.client()
	for i := range n {
		token := tokentest.Encode(fmt.Sprintf(`{"alg":"ES256","kid":%q}`, rand.Text())) + "." + tokentest.Encode(payload()) + "." + tokentest.Encode(string(make([]byte, 64)))
		bad.fields[len(bad.fields)-1] = bearer(token)
		if rep := c.ask(bad); s.door.rpc() && rep.code() != codes.Unauthenticated || !s.door.rpc() && rep.status != 401 {
			t.Errorf("an unknown key: %s", rep.text())
			return
		}
		if i%20 == 0 {
			if rep := c.ask(good); s.door.rpc() && rep.code() != codes.OK || !s.door.rpc() && rep.status != 200 {
				t.Errorf("a good token among the bad: %s", rep.text())
				return
			}
		}
	}
}
