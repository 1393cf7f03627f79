package httpadapter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// nopWriter has the abilities of net/http's HTTP/1.1 writer and costs nothing.
type nopWriter struct{ *bare }

func (w nopWriter) WriteHeader(int)                   {}
func (w nopWriter) Write(p []byte) (int, error)       { return len(p), nil }
func (w nopWriter) WriteString(s string) (int, error) { return len(s), nil }

type noop struct{ interceptor.Base }

func noops(n int) *interceptor.Stack {
	names := "abcdefgh"
	var hooks []interceptor.Hook
	for i := range n {
		hooks = append(hooks, interceptor.As(names[i:i+1], noop{}))
	}
	return interceptor.MustNew(hooks...)
}

var okHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(nil)
})

// TestAllocations: what a stack adds to a call of a handler, exactly.
func TestAllocations(t *testing.T) {
	bareMux := func(pattern string) *http.ServeMux {
		m := http.NewServeMux()
		m.Handle(pattern, okHandler)
		return m
	}
	tests := []struct {
		name    string
		without http.Handler
		with    func(*interceptor.Stack) http.Handler
		added   float64
	}{
		{"handler", okHandler, func(s *interceptor.Stack) http.Handler { return httpadapter.Wrap(s, okHandler) }, 2},
		{"mux", bareMux("/x/y"), func(s *interceptor.Stack) http.Handler { return muxWith(s, "/x/y", okHandler) }, 2},
		{"mux with a wildcard", bareMux("/x/{id}"), func(s *interceptor.Stack) http.Handler { return muxWith(s, "/x/{id}", okHandler) }, 2},
		{"bare mux", bareMux("/x/y"), func(s *interceptor.Stack) http.Handler { return httpadapter.Wrap(s, bareMux("/x/y")) }, 3},
		{"bare mux with a wildcard", bareMux("/x/{id}"), func(s *interceptor.Stack) http.Handler { return httpadapter.Wrap(s, bareMux("/x/{id}")) }, 4},
	}
	w := nopWriter{&bare{header: http.Header{}}}
	measure := func(h http.Handler) float64 {
		r := httptest.NewRequest("GET", "/x/y", nil)
		return testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) })
	}
	for _, test := range tests {
		without := measure(test.without)
		for _, hooks := range []int{0, 1, 8} {
			if got := measure(test.with(noops(hooks))) - without; got != test.added {
				t.Errorf("%s, %d hooks: %v allocations added, want %v", test.name, hooks, got, test.added)
			}
		}
	}
}

// BenchmarkAdded measures what a stack adds to a handler, beside a copy of the
// request with a new context, which no hook can do without.
func BenchmarkAdded(b *testing.B) {
	w := nopWriter{&bare{header: http.Header{}}}
	for name, h := range map[string]http.Handler{
		"without": okHandler,
		"a copy of the request": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			okHandler(w, r.WithContext(context.WithValue(r.Context(), ctxKey("k"), 1)))
		}),
		"empty":       httpadapter.Wrap(noops(0), okHandler),
		"one hook":    httpadapter.Wrap(noops(1), okHandler),
		"eight hooks": httpadapter.Wrap(noops(8), okHandler),
		"mux":         muxWith(noops(0), "/x/y", okHandler),
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/x/y", nil)
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
