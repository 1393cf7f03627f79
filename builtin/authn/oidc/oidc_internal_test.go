package oidc

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAttemptsKeepTheInterval moves the clock of a verifier whose provider is down.
func TestAttemptsKeepTheInterval(t *testing.T) {
	t.Parallel()
	var asked int
	down := transport(func(*http.Request) (*http.Response, error) {
		asked++ // one attempt at a time
		return nil, errors.New("down")
	})
	v, err := New(t.Context(), "https://issuer.test", "items-api", Client(&http.Client{Transport: down}), Lazy())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	v.discoveries.Now = func() time.Time { return now }
	for i, tt := range []struct {
		pass  time.Duration
		asked int
	}{{0, 1}, {0, 1}, {30*time.Second - 1, 1}, {1, 2}, {time.Second, 2}, {29 * time.Second, 3}} {
		now = now.Add(tt.pass)
		if _, err := v.Verify(t.Context(), "token"); err == nil || asked != tt.asked {
			t.Errorf("call %d: %v after %d attempts, want %d", i+1, err, asked, tt.asked)
		}
	}
}

// TestNothingLeftToFind begins an attempt after one has succeeded, as a call does that
// found nothing just before.
func TestNothingLeftToFind(t *testing.T) {
	t.Parallel()
	const document = `{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/keys"}`
	var asked int
	up := transport(func(*http.Request) (*http.Response, error) {
		asked++ // one attempt at a time
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(document))}, nil
	})
	v, err := New(t.Context(), "https://issuer.test", "items-api", Client(&http.Client{Transport: up}))
	if err != nil {
		t.Fatal(err)
	}
	found := v.found.Load()
	later := time.Now().Add(time.Hour)
	v.discoveries.Now = func() time.Time { return later }
	if err := v.discoveries.Await(t.Context()); err != nil || v.discoveries.Failure() != nil {
		t.Errorf("%v, %v", err, v.discoveries.Failure())
	}
	if asked != 1 || v.found.Load() != found {
		t.Errorf("the document was read %d times, want once, and what it says be kept", asked)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
