package ecosystem_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// doorkeeper refuses every method but those listed, and records what it was
// asked to decide.
func doorkeeper(asked *[]string, open ...string) interceptor.Hook {
	return interceptor.FromFuncs("doorkeeper", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			*asked = append(*asked, m.Name())
			for _, name := range open {
				if m.Name() == name && m.Descriptor() == nil {
					return ctx, nil
				}
			}
			return nil, interceptor.NewError(codes.PermissionDenied, "no")
		},
	})
}

// router is a chi router as users have them: middlewares, a group, a parameter,
// and its own 404. It counts what ran.
func router(ran *int) *chi.Mux {
	r := chi.NewRouter()
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
	})
	handler := func(http.ResponseWriter, *http.Request) { *ran++ }
	r.Route("/api", func(r chi.Router) {
		r.Get("/books/{id}", handler)
		r.Delete("/books/{id}", handler)
	})
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		*ran++
		w.WriteHeader(http.StatusNotFound)
	})
	return r
}

// chiRoutes names chi's routes by the pattern that chi will match.
func chiRoutes(r chi.Routes) func(*http.Request) (string, bool) {
	return func(req *http.Request) (string, bool) {
		rctx := chi.NewRouteContext()
		if !r.Match(rctx, req.Method, req.URL.Path) {
			return "", false
		}
		return req.Method + " " + rctx.RoutePattern(), true
	}
}

// A chi router runs nothing before the stack has decided, whichever way it is
// put behind one.
func TestChiRunsNothingUndecided(t *testing.T) {
	const allowed = "GET /api/books/{id}"
	for name, tc := range map[string]struct {
		wrap  func(*interceptor.Stack, *chi.Mux) http.Handler
		open  string // the method that must be open for GET to pass
		other string // what a DELETE is decided as
	}{
		"Wrap, one method": {
			wrap: func(s *interceptor.Stack, r *chi.Mux) http.Handler { return httpadapter.Wrap(s, r) },
			open: "*", other: "*",
		},
		"Wrap with Routes": {
			wrap: func(s *interceptor.Stack, r *chi.Mux) http.Handler {
				return httpadapter.Wrap(s, r, httpadapter.Routes(chiRoutes(r)))
			},
			open: allowed, other: "DELETE /api/books/{id}",
		},
		"mounted in a Mux": {
			wrap: func(s *interceptor.Stack, r *chi.Mux) http.Handler {
				mux := httpadapter.NewMux(s)
				mux.Handle("/api/", r)
				return mux
			},
			open: "/api/", other: "/api/",
		},
		"Middleware outside of chi": {
			wrap: func(s *interceptor.Stack, r *chi.Mux) http.Handler { return httpadapter.Middleware(s)(r) },
			open: "*", other: "*",
		},
		"Middleware of a chi router": {
			wrap: func(s *interceptor.Stack, r *chi.Mux) http.Handler {
				outer := chi.NewRouter()
				outer.Use(httpadapter.Middleware(s))
				outer.Mount("/", r)
				return outer
			},
			open: "*", other: "*",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			ran := 0
			closed := tc.wrap(interceptor.MustNew(doorkeeper(&asked)), router(&ran))
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				w := httptest.NewRecorder()
				closed.ServeHTTP(w, httptest.NewRequest(method, "/api/books/1", nil))
				if w.Code != http.StatusForbidden || ran != 0 {
					t.Errorf("%s: status %d, %d handlers ran; want 403, 0", method, w.Code, ran)
				}
			}
			if want := []string{tc.open, tc.other}; strings.Join(asked, ", ") != strings.Join(want, ", ") {
				t.Errorf("decided %q, want %q", asked, want)
			}
			opened := tc.wrap(interceptor.MustNew(doorkeeper(&asked, tc.open)), router(&ran))
			w := httptest.NewRecorder()
			opened.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/books/1", nil))
			if w.Code != http.StatusOK || ran != 1 {
				t.Errorf("allowed: status %d, %d handlers ran; want 200, 1", w.Code, ran)
			}
		})
	}
}

// A path that chi does not know still ends in user code, its NotFound handler,
// so it is decided as well.
func TestChiNotFoundIsDecided(t *testing.T) {
	var asked []string
	ran := 0
	r := router(&ran)
	h := httpadapter.Wrap(interceptor.MustNew(doorkeeper(&asked)), r, httpadapter.Routes(chiRoutes(r)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	if w.Code != http.StatusForbidden || ran != 0 || len(asked) != 1 {
		t.Errorf("status %d, %d handlers ran, decided %q; want 403, 0, one decision", w.Code, ran, asked)
	}
}
