package httpadapter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// Middleware outside of a stack finds the pattern that matched on its own request
// when the handler has returned, as it does outside of a bare http.ServeMux.
func TestMiddlewareOutsideSeesThePattern(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("on purpose")
		}
	})
	patterns := []string{"GET /items/{id}", "GET /refused", "GET /panic"}
	stack := interceptor.MustNew(interceptor.FromFuncs("refuser", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			if m.Name() == "GET /refused" {
				return nil, interceptor.NewError(codes.PermissionDenied, "no")
			}
			return ctx, nil
		},
	})).ReportTo(func(context.Context, *interceptor.Call, error) {})
	mux, bare := httpadapter.NewMux(stack), http.NewServeMux()
	for _, pattern := range patterns {
		mux.Handle(pattern, handler)
		bare.Handle(pattern, handler)
	}
	for name, h := range map[string]http.Handler{"Mux": mux, "Wrap": httpadapter.Wrap(stack, bare)} {
		for path, want := range map[string]string{
			"/items/7": "GET /items/{id}",
			"/refused": "GET /refused",
			"/panic":   "GET /panic",
			"/nowhere": "",
		} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			h.ServeHTTP(httptest.NewRecorder(), r)
			if name == "Wrap" && path == "/refused" {
				want = "" // the bare mux has not run
			}
			if r.Pattern != want {
				t.Errorf("%s, %s: the middleware sees the pattern %q, want %q", name, path, r.Pattern, want)
			}
		}
	}
}
