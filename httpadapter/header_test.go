package httpadapter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// TestResponseHeaders: hooks' headers are visible to the handler at once,
// defaults yield to it, and both go out on success and on errors.
func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			h := call.ResponseHeader()
			return ctx, errors.Join(h.Set("x-set", "1"), h.Add("X-Add", "1"), h.Add("X-Add", "2"), h.SetDefault("X-Default", "hook"),
				h.SetDefault("X-Mine", "hook"), h.SetDefault("Vary", "Origin, Accept-Language"), h.SetDefault("X-Gone", "1"), h.Del("X-Gone"), h.SetDefault("X-Nil", "hook"))
		}
		f.BeforeResponse = func(_ context.Context, call *interceptor.Call) error {
			return errors.Join(call.ResponseHeader().Del("X-Secret"), call.ResponseHeader().Set("X-Last", "1"))
		}
	})
	answers := map[string]http.HandlerFunc{
		"/written": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") },
		"/nothing": func(http.ResponseWriter, *http.Request) {},
		"/own":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "own", 404) },
		"/panic":   func(http.ResponseWriter, *http.Request) { panic("x") },
		"/hijack":  nil,
	}
	mux := httpadapter.NewMux(stack)
	for path, answer := range answers {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if w.Header().Get("X-Set") != "1" || len(w.Header()["X-Add"]) != 2 || w.Header().Get("X-Default") != "" {
				t.Errorf("the handler found %v", w.Header())
			}
			w.Header().Set("X-Mine", "handler")
			w.Header().Set("X-Secret", "handler")
			w.Header().Set("Vary", "origin")
			w.Header()["X-Nil"] = nil
			if answer != nil {
				answer(w, r)
			}
		})
	}
	s := serveHTTP(t, mux)
	for path := range answers {
		got := get(t, s, path)
		for key, want := range map[string]string{"X-Set": "1", "X-Add": "1|2", "X-Default": "hook", "X-Mine": "handler", "X-Gone": "", "X-Secret": "", "X-Last": "1", "X-Nil": ""} {
			if values := strings.Join(got.Header.Values(key), "|"); values != want {
				t.Errorf("%s: %s is %q, want %q", path, key, values, want)
			}
		}
		if vary := strings.Join(got.Header.Values("Vary"), ", "); !strings.HasPrefix(vary, "origin, Accept-Language") && !strings.HasPrefix(vary, "origin, Accept, Accept-Language") {
			t.Errorf("%s: Vary is %q", path, vary)
		}
	}
}

// TestHeaderAfterCommit is an error and changes nothing.
func TestHeaderAfterCommit(t *testing.T) {
	t.Parallel()
	got := get(t, serveHTTP(t, muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		call, _ := interceptor.CallFrom(r.Context())
		if err := call.ResponseHeader().Set("X-Late", "1"); !errors.Is(err, interceptor.ErrCommitted) {
			t.Errorf("Set after commit: %v", err)
		}
	}))), "/")
	if got.Header.Get("X-Late") != "" {
		t.Error("a late header went out")
	}
}

// TestRequestHeaders: hooks read every value in order, and what they delete the
// handler does not get.
func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			h := call.RequestHeader()
			if got := strings.Join(h.Values("x-many"), "|"); got != "b|a" {
				t.Errorf("values %q", got)
			}
			h.Del("authorization")
			if h.Get("Authorization") != "" {
				t.Error("the header is still there")
			}
			return context.WithValue(ctx, ctxKey("copied"), 1), nil
		}
	})
	inner := muxWith(stack, "/x", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || len(r.Header["X-Many"]) != 2 {
			t.Errorf("the handler got %v", r.Header)
		}
	}))
	mux := muxWith(stack, "/in/", httpadapter.StripPrefix("/in", inner))
	got := record(mux, "GET", "/in/x", func(r *http.Request) {
		r.Header["X-Many"] = []string{"b", "a"}
		r.Header.Set("Authorization", "secret")
	})
	if got.Code != 200 {
		t.Errorf("got %d", got.Code)
	}
}

// TestHandlerSharesURLAndHeaders: there is one copy of the request, not of what
// it points to.
func TestHandlerSharesURLAndHeaders(t *testing.T) {
	t.Parallel()
	var own *http.Request
	mux := muxWith(newTrace().two(nil), "/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Seen", "1")
		if r.URL != own.URL || r == own || r.Body != own.Body {
			t.Error("not a shallow copy of the request")
		}
	}))
	record(mux, "GET", "/", func(r *http.Request) { own = r })
	if own.Header.Get("X-Seen") != "1" {
		t.Error("the headers are a copy")
	}
}
