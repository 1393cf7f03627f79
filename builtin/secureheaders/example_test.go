package secureheaders_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/crosscut-go/crosscut/builtin/secureheaders"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	mux := httpadapter.NewMux(interceptor.MustNew(secureheaders.New()))
	mux.HandleFunc("GET /map", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "frame-ancestors https://partner.example.com")
	})

	r := httptest.NewRequest(http.MethodGet, "https://shop.example.com/map", nil)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	var lines []string
	for key := range w.Header() {
		lines = append(lines, key+": "+w.Header().Get(key))
	}
	slices.Sort(lines)
	for _, l := range lines {
		fmt.Println(l)
	}

	// Output:
	// Content-Security-Policy: frame-ancestors https://partner.example.com
	// Cross-Origin-Opener-Policy: same-origin
	// Cross-Origin-Resource-Policy: same-origin
	// Referrer-Policy: strict-origin-when-cross-origin
	// Strict-Transport-Security: max-age=31536000
	// X-Content-Type-Options: nosniff
	// X-Frame-Options: DENY
}
