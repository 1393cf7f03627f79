package httpsget_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/internal/httpsget"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for raw, good := range map[string]bool{
		"https://id.example/keys": true, "https://id.example:8443/keys?v=1": true,
		"http://id.example/keys": false, "id.example/keys": false, "": false, "https://": false, "file:///etc/passwd": false,
		"https://user:secret@id.example/keys": false, "https://id.example/keys#a": false, "https://%zz": false,
	} {
		err := httpsget.CheckURL(raw)
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// serve starts a server and returns it with a guarded client that trusts it.
func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *http.Client) {
	t.Helper()
	s := httptest.NewTLSServer(handler)
	t.Cleanup(s.Close)
	return s, httpsget.Client(s.Client(), time.Minute)
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestBodyIsBounded(t *testing.T) {
	t.Parallel()
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/longest":
			_, _ = io.WriteString(w, strings.Repeat("x", httpsget.MaxBody))
		case "/longer":
			_, _ = io.WriteString(w, strings.Repeat("x", httpsget.MaxBody+1))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, strings.Repeat("x", 8*httpsget.MaxBody))
			_ = z.Close()
		}
	})
	if body, err := get(t, c, s.URL+"/longest"); err != nil || len(body) != httpsget.MaxBody {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	for _, path := range []string{"/longer", "/bomb"} {
		if body, err := get(t, c, s.URL+path); err == nil || len(body) > httpsget.MaxBody {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
	}
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	t.Parallel()
	var stranger int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stranger++ }))
	t.Cleanup(other.Close)
	elsewhere, _ := serve(t, func(http.ResponseWriter, *http.Request) { stranger++ })
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			_, _ = io.WriteString(w, "arrived")
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
		}
	})
	if body, err := get(t, c, s.URL+"/?to=/here"); err != nil || body != "arrived" {
		t.Errorf("on the host: %q, %v", body, err)
	}
	localhost := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	for _, target := range []string{s.URL + "/?to=" + other.URL, s.URL + "/?to=" + elsewhere.URL, s.URL + "/?to=" + localhost + "/here", s.URL + "/loop", other.URL} {
		if body, err := get(t, c, target); err == nil {
			t.Errorf("%s: %q", target, body)
		}
	}
	if stranger != 0 {
		t.Errorf("the other host was asked %d times", stranger)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // a body that never comes
	}))
	t.Cleanup(s.Close)
	if body, err := get(t, httpsget.Client(s.Client(), 50*time.Millisecond), s.URL); err == nil {
		t.Errorf("%q", body)
	}
	base := &http.Client{Timeout: time.Second}
	if c := httpsget.Client(base, time.Minute); c.Timeout != time.Second || base.Transport != nil {
		t.Errorf("timeout %v, want the shorter one; the client given must not change", c.Timeout)
	}
	if c := httpsget.Client(nil, time.Minute); c.Timeout != time.Minute || c.Transport == nil {
		t.Errorf("timeout %v", c.Timeout)
	}
}
