package oidc_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/builtin/authn/oidc"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// TestMain fails if anything is still running after the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func unavailable(err error) bool { return interceptor.StatusOf(err).Code() == codes.Unavailable }

func TestDiscovery(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	v, err := oidc.New(t.Context(), p.URL, audience, patient(p, oidc.Tokens(jwt.Issuer("https://another.test"), jwt.Roles("groups")))...)
	if err != nil || p.discovered.Load() != 1 || p.fetched.Load() != 0 {
		t.Fatalf("%v, the document was read %d times, the keys %d times; want 1 and 0", err, p.discovered.Load(), p.fetched.Load())
	}
	token := tokentest.Ed25519().Token(p.claims(map[string]any{"groups": []string{"staff"}}))
	for range 10 {
		who, err := v.Verify(t.Context(), token)
		if err != nil || who.Subject() != "alice" || who.Issuer() != p.URL || !who.HasRole("staff") {
			t.Fatalf("%v, %v", who, err)
		}
	}
	for name, changes := range map[string]map[string]any{
		"another audience": {"aud": "other-api"}, "another issuer": {"iss": "https://another.test"}, "a slash more": {"iss": p.URL + "/"}, "expired": {"exp": 1},
	} {
		if who, err := v.Verify(t.Context(), tokentest.Ed25519().Token(p.claims(changes))); err == nil || unavailable(err) {
			t.Errorf("%s: %v, %v", name, who, err)
		}
	}
	if p.discovered.Load() != 1 || p.fetched.Load() != 1 {
		t.Errorf("the document was read %d times, the keys %d times; want once each", p.discovered.Load(), p.fetched.Load())
	}
}

// TestAlgorithms checks that what the provider does not list is not accepted, even with
// a key for it.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	const list = "id_token_signing_alg_values_supported"
	for _, tt := range []struct {
		name         string
		changes      map[string]any
		opts         []oidc.Option
		eddsa, es256 bool
	}{
		{"listed", map[string]any{list: []string{"EdDSA"}}, nil, true, false},
		{"both listed", map[string]any{list: []string{"ES256", "EdDSA"}}, nil, true, true},
		{"none listed", map[string]any{list: nil}, nil, true, true},
		{"restricted", map[string]any{list: nil}, []oidc.Option{oidc.Tokens(jwt.Algorithms("ES256"))}, false, true},
	} {
		p := start(t, tt.changes)
		v, err := oidc.New(t.Context(), p.URL, audience, patient(p, tt.opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		_, first := v.Verify(t.Context(), p.token())
		_, second := v.Verify(t.Context(), tokentest.ECDSA().Token(p.claims(nil)))
		if (first == nil) != tt.eddsa || (second == nil) != tt.es256 {
			t.Errorf("%s: EdDSA %v, ES256 %v", tt.name, first, second)
		}
	}
}

// failures are discovery documents that are no use.
func failures(t *testing.T) map[string]struct {
	handler http.HandlerFunc // nil for the document with changes
	changes map[string]any
	why     string
} {
	t.Helper()
	other := start(t, nil)
	return map[string]struct {
		handler http.HandlerFunc
		changes map[string]any
		why     string
	}{
		"not found":              {http.NotFound, nil, "404"},
		"an error page":          {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, strings.Repeat("x", 5000), 500) }, nil, "500"},
		"HTML":                   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, nil, "cannot be read"},
		"too long":               {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20+1)) }, nil, "1 MiB"},
		"a redirect to another":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+r.URL.Path, 302) }, nil, "redirect"},
		"another issuer":         {nil, map[string]any{"issuer": "https://evil.test"}, "own spelling"},
		"a slash more":           {nil, map[string]any{"issuer": "https://127.0.0.1/"}, "own spelling"},
		"no issuer":              {nil, map[string]any{"issuer": nil}, "own spelling"},
		"no keys":                {nil, map[string]any{"jwks_uri": nil}, "jwks_uri"},
		"keys over http":         {nil, map[string]any{"jwks_uri": "http://127.0.0.1/keys"}, "jwks_uri"},
		"keys a number":          {nil, map[string]any{"jwks_uri": 1}, "cannot be read"},
		"symmetric algorithms":   {nil, map[string]any{"id_token_signing_alg_values_supported": []string{"HS256", "none"}}, "sign with one of them"},
		"an empty list":          {nil, map[string]any{"id_token_signing_alg_values_supported": []string{}}, "sign with one of them"},
		"a member twice":         {twice, nil, "one name"},
		"issuer in upper case":   {shouted, nil, "no member \"issuer\""},
		"an answer that is late": {late, nil, "Client.Timeout|deadline exceeded|handshake timeout"},
	}
}

// twice sends a document with two issuers' keys.
func twice(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	url := "https://" + r.Host
	_, _ = io.WriteString(w, `{"issuer":"`+url+`","jwks_uri":"`+url+`/keys","jwks_uri":"https://evil.test/keys"}`)
}

// shouted sends a document whose issuer only readers that ignore case find.
func shouted(w http.ResponseWriter, r *http.Request) {
	url := "https://" + r.Host
	_, _ = io.WriteString(w, `{"ISSUER":"`+url+`","jwks_uri":"`+url+`/keys"}`)
}

// late does not answer.
func late(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// TestFailures checks that each ends New with an error that says what to do, and that a
// lazy verifier answers UNAVAILABLE to all tokens.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range failures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, tt.changes)
			if tt.handler != nil {
				p.discovery.Store(tt.handler)
			}
			client := p.Client()
			late := strings.HasPrefix(tt.why, "Client.Timeout")
			if late {
				client.Timeout = 50 * time.Millisecond
			}
			v, err := oidc.New(t.Context(), p.URL, audience, oidc.Client(client), oidc.Timeout(time.Minute))
			if err == nil || v != nil || !mentions(err.Error(), tt.why) || !strings.HasPrefix(err.Error(), "oidc: ") || len(err.Error()) > 600 {
				t.Errorf("New: %v; want %q", err, tt.why)
			}
			lazy, err := oidc.New(t.Context(), p.URL, audience, oidc.Client(client), oidc.Timeout(time.Minute), oidc.Lazy())
			if err != nil {
				t.Fatal(err)
			}
			asked := p.discovered.Load()
			for range 100 {
				if who, err := lazy.Verify(t.Context(), p.token()); who != nil || !unavailable(err) {
					t.Fatalf("%v, %v; want UNAVAILABLE", who, err)
				}
			}
			if n := p.discovered.Load() - asked; n > 1 || n < 1 && !late || // a late one may not even arrive
				p.fetched.Load() != 0 {
				t.Errorf("100 calls read the document %d times and the keys %d times; want 1 and 0", n, p.fetched.Load())
			}
		})
	}
}

// TestNewGivesUp has a provider that does not answer and a caller who does not wait.
func TestNewGivesUp(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.discovery.Store(http.HandlerFunc(late))
	client := p.Client()
	client.Timeout = 50 * time.Millisecond // of the attempt, which goes on without the caller
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := oidc.New(ctx, p.URL, audience, oidc.Client(client), oidc.Timeout(time.Minute)); v != nil || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "reachable") {
		t.Errorf("%v, %v", v, err)
	}
}

// TestLazy starts while the provider hangs: calls wait for one attempt, or give up.
func TestLazy(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	release := make(chan struct{})
	p.discovery.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		p.document(w, r)
	}))
	v, err := oidc.New(t.Context(), p.URL, audience, patient(p, oidc.Lazy())...)
	if err != nil || p.discovered.Load() != 0 {
		t.Fatalf("%v after %d requests", err, p.discovered.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(ctx, p.token()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if who, err := v.Verify(t.Context(), p.token()); err != nil || who.Subject() != "alice" {
				t.Errorf("%v, %v", who, err)
			}
		})
	}
	close(release)
	calls.Wait()
	if p.discovered.Load() != 1 || p.fetched.Load() != 1 {
		t.Errorf("the document was read %d times, the keys %d times; want once each", p.discovered.Load(), p.fetched.Load())
	}
}

// TestPanicsEndTheAttemptOnly has a transport that panics.
func TestPanicsEndTheAttemptOnly(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: panicking{}, Timeout: 50 * time.Millisecond}
	if _, err := oidc.New(t.Context(), "https://issuer.test", audience, oidc.Client(client), oidc.Timeout(time.Minute)); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Error(err)
	}
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("boom") }

// TestKeysElsewhere has the keys on another host, as the document says.
func TestKeysElsewhere(t *testing.T) {
	t.Parallel()
	other := start(t, nil)
	p := start(t, map[string]any{"jwks_uri": strings.Replace(other.URL, "127.0.0.1", "localhost", 1) + "/keys"})
	transport := p.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "example.com" // the name in the servers' certificate
	transport.DisableKeepAlives = true
	v, err := oidc.New(t.Context(), p.URL, audience, oidc.Client(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), p.token()); err != nil || p.fetched.Load() != 0 || other.fetched.Load() != 1 {
		t.Errorf("%v; keys were fetched %d times from the issuer's host and %d from the other", err, p.fetched.Load(), other.fetched.Load())
	}
}

// TestNobodyThere has a provider that is down and one with a certificate of nobody.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	p := httptest.NewTLSServer(http.NotFoundHandler())
	client := p.Client()
	if _, err := oidc.New(t.Context(), p.URL, audience); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	p.Close()
	if _, err := oidc.New(t.Context(), p.URL, audience, oidc.Client(client), oidc.Timeout(time.Minute)); err == nil || !strings.Contains(err.Error(), "reachable") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestMistakes checks that each is a panic at once, also of a lazy verifier.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const url = "https://issuer.test"
	for want, opts := range map[string][]oidc.Option{
		"an option is nil":        {nil},
		"use a positive one":      {oidc.Timeout(0)},
		"use 0 to 5m0s":           {oidc.Tokens(jwt.Skew(time.Hour))},
		"is not an algorithm":     {oidc.Tokens(jwt.Algorithms("HS256"))},
		"use at least 1s":         {oidc.Keys(jwks.MinInterval(time.Millisecond))},
		"jwt.New: an option is n": {oidc.Tokens(nil...), oidc.Tokens([]jwt.Option{nil}...)},
	} {
		expectPanic(t, want, func() { _, _ = oidc.New(t.Context(), url, audience, append(opts, oidc.Lazy())...) })
	}
	expectPanic(t, "absolute https URL", func() { _, _ = oidc.New(t.Context(), "http://issuer.test", audience, oidc.Lazy()) })
	expectPanic(t, "absolute https URL", func() { _, _ = oidc.New(t.Context(), "", audience, oidc.Lazy()) })
	expectPanic(t, "jwt.Audience", func() { _, _ = oidc.New(t.Context(), url, "", oidc.Lazy()) })
}

func expectPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, want) {
			t.Errorf("panic %q, want it to say %q", text, want)
		}
	}()
	f()
}
