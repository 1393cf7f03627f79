package policy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	dev := authn.StaticTokens(map[string]string{"dev": "alice"})
	guard := policy.New(
		policy.Route("GET /status", policy.Public),
		policy.Route("GET /orders", policy.Authenticated),
		policy.Route("GET /old", policy.Denied),
	)
	mux := httpadapter.NewMux(interceptor.MustNew(guard, authn.New(authn.Bearer(dev))))
	for _, pattern := range []string{"GET /status", "GET /orders", "GET /old"} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	if err := mux.Check(); err != nil {
		fmt.Println(err)
	}

	for _, request := range []struct{ path, credential string }{
		{"/status", ""},
		{"/orders", ""},
		{"/orders", "Bearer dev"},
		{"/old", "Bearer dev"},
	} {
		r := httptest.NewRequest(http.MethodGet, request.path, nil)
		if request.credential != "" {
			r.Header.Set("Authorization", request.credential)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(request.path, request.credential, w.Code)
	}

	// Output:
	// /status  200
	// /orders  401
	// /orders Bearer dev 200
	// /old Bearer dev 403
}

// A server does not start with a method that nobody declared.
func ExampleNew_strict() {
	mux := httpadapter.NewMux(interceptor.MustNew(policy.New()))
	mux.HandleFunc("GET /forgotten", func(http.ResponseWriter, *http.Request) {})
	fmt.Println(mux.Check())

	// Output:
	// httpadapter: route "GET /forgotten": crosscut: hook policy refuses method GET /forgotten: no policy says who may call it; declare policy.Route("GET /forgotten", …)
}

// A program can print who may call what, or compare it with a golden file in a test.
func ExampleTableOf() {
	guard := policy.New(
		policy.Route("GET /status", policy.Public),
		policy.Route("GET /stats", policy.Roles("admin", "operator")),
	)
	mux := httpadapter.NewMux(interceptor.MustNew(guard))
	mux.HandleFunc("GET /status", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /stats", func(http.ResponseWriter, *http.Request) {})
	fmt.Print(policy.TableOf(guard, mux.Routes()...))

	// Output:
	// METHOD       KIND   REST  ACCESS         DEMANDS
	// GET /stats   route  -     authenticated  roles: admin|operator
	// GET /status  route  -     public         -
}
