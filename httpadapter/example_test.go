package httpadapter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// A hook decides about routes by their registered pattern, and a handler returns
// its errors.
func Example() {
	members := interceptor.FromFuncs("members", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			if m.Name() == "GET /shelves/{id}" && call.RequestHeader().Get("X-Member") == "" {
				return nil, interceptor.NewError(codes.PermissionDenied, "members only")
			}
			return ctx, nil
		},
	})
	mux := httpadapter.NewMux(interceptor.MustNew(members))
	mux.Handle("GET /shelves/{id}", httpadapter.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		if r.PathValue("id") != "1" {
			return interceptor.NewError(codes.NotFound, "no such shelf")
		}
		_, err := fmt.Fprint(w, "three books")
		return err
	}))

	ask := func(path, member string) {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("X-Member", member)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	ask("/shelves/1", "")
	ask("/shelves/1", "alice")
	ask("/shelves/2", "alice")
	// Output:
	// 403 {"code":7,"message":"members only","details":[]}
	// 200 three books
	// 404 {"code":5,"message":"no such shelf","details":[]}
}

// Routes names the methods of a router that package httpadapter does not know.
func ExampleRoutes() {
	stack := interceptor.MustNew(interceptor.FromFuncs("print", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			fmt.Println(m.Name())
			return ctx, nil
		},
	}))
	router := http.NewServeMux() // stands for a router that is not known
	router.HandleFunc("/books/{id}", func(http.ResponseWriter, *http.Request) {})
	pattern := func(r *http.Request) (string, bool) {
		_, pattern := router.Handler(r)
		return pattern, pattern != ""
	}
	h := httpadapter.Wrap(stack, router, httpadapter.Routes(pattern))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/books/7", nil))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/other", nil))
	// Output:
	// /books/{id}
	// *
}
