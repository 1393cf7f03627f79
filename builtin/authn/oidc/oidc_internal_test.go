package oidc

import (
	"errors"
	"net/http"
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
	v.now = func() time.Time { return now }
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

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
