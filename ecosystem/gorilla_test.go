package ecosystem_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// gorillaRouter is a router of gorilla/mux as programs have them: a subrouter
// with a middleware, a variable, and its own 404. It counts what ran.
func gorillaRouter(ran *int) *mux.Router {
	r := mux.NewRouter()
	api := r.PathPrefix("/api").Subrouter()
	api.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
	})
	api.HandleFunc("/books/{id}", func(w http.ResponseWriter, r *http.Request) {
		*ran++
		_, _ = fmt.Fprint(w, "book ", mux.Vars(r)["id"])
	}).Methods(http.MethodGet, http.MethodDelete)
	r.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*ran++
		w.WriteHeader(http.StatusNotFound)
	})
	return r
}

// gorillaRoutes names gorilla's routes by the template that it will match.
func gorillaRoutes(r *mux.Router) func(*http.Request) (string, bool) {
	return func(req *http.Request) (string, bool) {
		var match mux.RouteMatch
		if !r.Match(req, &match) || match.Route == nil {
			return "", false
		}
		template, err := match.Route.GetPathTemplate()
		return req.Method + " " + template, err == nil
	}
}

// A router of gorilla/mux keeps its variables inside a stack, and runs nothing
// before the stack has decided.
func TestGorilla(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		wrap func(*interceptor.Stack, *mux.Router) http.Handler
		open string // what a GET is decided as
		lost string // what a path that the router does not know is decided as; "" where it is not
	}{
		"Wrap with Routes": {func(s *interceptor.Stack, r *mux.Router) http.Handler {
			return httpadapter.Wrap(s, r, httpadapter.Routes(gorillaRoutes(r)))
		}, "GET /api/books/{id}", "*"},
		"mounted in a Mux": {func(s *interceptor.Stack, r *mux.Router) http.Handler {
			m := httpadapter.NewMux(s)
			m.Handle("/", r)
			return m
		}, "/", "/"},
		"as a middleware of the router": {func(s *interceptor.Stack, r *mux.Router) http.Handler {
			r.Use(httpadapter.Middleware(s))
			return r
		}, "*", ""}, // gorilla does not run middlewares for its 404
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			ran := 0
			get := func(h http.Handler, path string) *httptest.ResponseRecorder {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
				return w
			}
			closed := tc.wrap(interceptor.MustNew(doorkeeper(&asked)), gorillaRouter(&ran))
			if w := get(closed, "/api/books/7"); w.Code != http.StatusForbidden || ran != 0 {
				t.Errorf("closed: status %d, %d handlers ran; want 403, 0", w.Code, ran)
			}
			l := newLedger()
			opened := tc.wrap(l.stack(t, doorkeeper(&asked, tc.open)), gorillaRouter(&ran))
			if w := get(opened, "/api/books/7"); w.Code != http.StatusOK || w.Body.String() != "book 7" || ran != 1 {
				t.Errorf("open: status %d, %q, %d handlers ran; want 200, book 7, 1", w.Code, w.Body, ran)
			}
			l.balance(t, 1)
			want := []string{tc.open, tc.open}
			if tc.lost != "" {
				get(closed, "/nowhere")
				want = append(want, tc.lost)
			}
			if strings.Join(asked, ", ") != strings.Join(want, ", ") {
				t.Errorf("decided %q, want %q", asked, want)
			}
		})
	}
}
