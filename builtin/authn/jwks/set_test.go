package jwks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// TestMain fails if anything is still running after the tests: a key set has no
// goroutine between two fetches.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unavailable tells whether err says that the keys could not be had.
func unavailable(err error) bool { return interceptor.StatusOf(err).Code() == codes.Unavailable }

// TestUnknownKeysCauseOneFetch sends a thousand tokens with key ids that nobody has,
// from many goroutines, beside good ones.
func TestUnknownKeysCauseOneFetch(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(tokentest.JWKS(tokentest.Ed25519())))
	v := verifier(s.set())
	good := token(tokentest.Ed25519())
	stranger := tokentest.NewECDSA("stranger")
	var calls sync.WaitGroup
	for g := range 20 {
		calls.Go(func() {
			for i := range 50 {
				stranger := tokentest.Key{ID: fmt.Sprintf("k%d-%d", g, i), Algorithm: "ES256", Private: stranger.Private}
				if _, err := v.Verify(t.Context(), token(stranger)); !errors.Is(err, jwt.ErrUnknownKey) {
					t.Errorf("a token with an unknown key: %v", err)
				}
			}
			if _, err := v.Verify(t.Context(), good); err != nil {
				t.Errorf("a good token: %v", err)
			}
		})
	}
	calls.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// TestBadSignaturesCauseNoFetch sends a thousand of them, after the interval too.
func TestBadSignaturesCauseNoFetch(t *testing.T) {
	t.Parallel()
	k := tokentest.ECDSA()
	s := serve(t, answer(tokentest.JWKS(k)))
	set := s.set()
	if err := set.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := verifier(set)
	forged := tokentest.NewECDSA(k.ID)
	for i := range 1000 {
		bad := forged.Token(map[string]any{"iss": issuer, "aud": audience, "sub": "root", "exp": time.Now().Unix() + 60, "jti": i})
		if _, err := v.Verify(t.Context(), bad); err == nil || unavailable(err) {
			t.Fatal(err)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("%d fetches, want the one of Refresh", n)
	}
}

// TestOneFetchInFlight lets many first calls wait for one slow fetch.
func TestOneFetchInFlight(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = io.WriteString(w, tokentest.JWKS(tokentest.Ed25519()))
	})
	set := s.set(jwks.Timeout(time.Minute))
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			if _, err := set.Key(t.Context(), "k3"); err != nil {
				t.Error(err)
			}
		})
	}
	// A caller that gives up leaves the others waiting.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := set.Key(ctx, "k3"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if set.Version() != 0 {
		t.Error("there is a version before there are keys")
	}
	close(release)
	calls.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// TestHostileServers checks that none of them makes a key usable, that all of them
// answer UNAVAILABLE, and that the operator hears why.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	good := tokentest.JWKS(tokentest.Ed25519())
	other := serve(t, answer(good))
	tests := map[string]struct {
		handler http.HandlerFunc
		why     string
	}{
		"not found":             {http.NotFound, "status 404"},
		"an error with keys":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = io.WriteString(w, good) }, "status 500"},
		"no content":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "status 204"},
		"empty":                 {answer(""), "not a JSON object"},
		"HTML":                  {answer("<html>"), "not a JSON object"},
		"half a document":       {answer(good[:len(good)-1]), "not valid JSON"},
		"two documents":         {answer(good + good), "follows"},
		"members twice":         {answer(`{"keys":[],` + good[1:]), "one name"},
		"no keys":               {answer(`{"keys":[]}`), "none of the 0 keys"},
		"keys an object":        {answer(`{"keys":{}}`), "no array"},
		"too many keys":         {answer(`{"keys":[` + strings.Repeat("{},", 64) + `{}]}`), "65 keys"},
		"huge":                  {answer(good[:len(good)-1] + `,"x":"` + strings.Repeat("x", 1<<20) + `"}`), "1 MiB"},
		"endless":               {endless, "1 MiB"},
		"slow":                  {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "Client.Timeout|deadline exceeded|handshake timeout"},
		"slow body":             {slowBody, "Client.Timeout|deadline exceeded|handshake timeout"},
		"cut off":               {cutOff, "EOF"},
		"a redirect to another": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/keys", http.StatusFound) }, "redirect"},
		"a redirect to http": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+r.Host+"/keys", http.StatusFound)
		}, "redirect"},
		"a redirect loop": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) }, "redirect"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.handler)
			timeout := time.Minute
			if strings.HasPrefix(name, "slow") {
				timeout = 50 * time.Millisecond
			}
			heard := make(chan error, 10)
			set := s.set(jwks.Timeout(timeout), jwks.OnError(func(err error) { heard <- err }))
			p, err := verifier(set).Verify(t.Context(), token(tokentest.Ed25519()))
			if p != nil || !unavailable(err) || set.Version() != 0 {
				t.Errorf("%v, %v; want UNAVAILABLE", p, err)
			}
			if why := <-heard; !mentions(why.Error(), tt.why) || !errors.Is(err, why) {
				t.Errorf("the operator hears %v, want %q", why, tt.why)
			}
			if err := set.Refresh(t.Context()); err == nil || unavailable(err) {
				t.Errorf("Refresh: %v; want the failure itself", err)
			}
		})
	}
	t.Cleanup(func() { // after the parallel subtests
		if n := other.asked.Load(); n != 0 {
			t.Errorf("the other server was asked %d times", n)
		}
	})
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 1<<16)); err != nil {
			return
		}
	}
}

func slowBody(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, `{"keys":[`)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"keys":[`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// TestServerThatIsDown has nobody listening, and a certificate nobody trusts.
func TestServerThatIsDown(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(tokentest.JWKS(tokentest.Ed25519())))
	untrusted := jwks.New(s.URL)
	if _, err := untrusted.Key(t.Context(), "k3"); !unavailable(err) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	set := s.set()
	s.Close()
	if _, err := set.Key(t.Context(), "k3"); !unavailable(err) {
		t.Errorf("nobody listens: %v", err)
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// TestPanicsEndTheFetchOnly has a transport that panics.
func TestPanicsEndTheFetchOnly(t *testing.T) {
	t.Parallel()
	set := jwks.New("https://issuer.test/keys", jwks.Client(&http.Client{Transport: panicking{}}), jwks.Timeout(50*time.Millisecond))
	if _, err := set.Key(t.Context(), "k3"); !unavailable(err) {
		t.Errorf("%v; want UNAVAILABLE", err)
	}
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("boom") }

// TestRedirectOnTheHost is the counterpart of the redirects that are refused.
func TestRedirectOnTheHost(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			http.Redirect(w, r, "/v2/keys", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, tokentest.JWKS(tokentest.Ed25519()))
	})
	if k, err := s.set().Key(t.Context(), "k3"); err != nil || k.Algorithm != "EdDSA" {
		t.Errorf("%v, %v", k, err)
	}
}

// TestMistakes checks that each is a panic that names the remedy.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const url = "https://issuer.test/keys"
	for want, f := range map[string]func(){
		"absolute https URL":    func() { jwks.New("http://issuer.test/keys") },
		"leave user infor":      func() { jwks.New("https://user:pass@issuer.test/keys") },
		"an option is nil":      func() { jwks.New(url, nil) },
		"use at least 1s":       func() { jwks.New(url, jwks.MinInterval(time.Millisecond)) },
		"less than the minimum": func() { jwks.New(url, jwks.RefreshEvery(time.Second)) },
		"less than the 5m0s":    func() { jwks.New(url, jwks.MaxAge(time.Minute)) },
		"use a positive one":    func() { jwks.New(url, jwks.Timeout(0)) },
		"use RS256, RS384":      func() { jwks.New(url, jwks.RSAAlgorithm("HS256")) },
		"not an algorithm":      func() { jwks.New(url, jwks.RSAAlgorithm("RS")) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, want) || strings.Contains(text, "pass@") {
					t.Errorf("panic %q, want it to say %q", text, want)
				}
			}()
			f()
		}()
	}
}
