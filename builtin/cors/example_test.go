package cors_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/cors"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	tokens := authn.StaticTokens(map[string]string{"dev": "alice"})
	mux := httpadapter.NewMux(interceptor.MustNew(
		cors.New(cors.Origins("https://app.example.com"), cors.Credentials(), cors.Methods(http.MethodGet, http.MethodDelete)),
		authn.New(authn.Bearer(tokens)),
	))
	mux.HandleFunc("DELETE /books/{id}", func(http.ResponseWriter, *http.Request) {})

	for _, origin := range []string{"https://app.example.com", "https://evil.example"} {
		preflight := httptest.NewRequest(http.MethodOptions, "/books/7", nil)
		preflight.Header.Set("Origin", origin)
		preflight.Header.Set("Access-Control-Request-Method", http.MethodDelete)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, preflight)
		fmt.Printf("%d %q %q\n", w.Code, w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Access-Control-Allow-Methods"))

		// The page may read that it was refused, and why.
		actual := httptest.NewRequest(http.MethodDelete, "/books/7", nil)
		actual.Header.Set("Origin", origin)
		w = httptest.NewRecorder()
		mux.ServeHTTP(w, actual)
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	}

	// Output:
	// 204 "https://app.example.com" "DELETE"
	// 401 "https://app.example.com"
	// 204 "" ""
	// 401 ""
}
