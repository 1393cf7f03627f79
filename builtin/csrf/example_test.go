package csrf_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/csrf"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	mux := httpadapter.NewMux(interceptor.MustNew(csrf.New(csrf.TrustOrigins("https://app.example.com"))))
	mux.HandleFunc("POST /transfer", func(http.ResponseWriter, *http.Request) {})

	for _, from := range []struct{ page, site string }{
		{"https://bank.example.com", "same-origin"}, // the service's own page
		{"https://app.example.com", "same-site"},    // one that is trusted
		{"https://evil.example", "cross-site"},
		{"", ""}, // no browser
	} {
		r := httptest.NewRequest(http.MethodPost, "https://bank.example.com/transfer", nil)
		r.Header.Set("Cookie", "__Host-session=secret")
		if from.page != "" {
			r.Header.Set("Origin", from.page)
			r.Header.Set("Sec-Fetch-Site", from.site)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, from.page)
	}

	// Output:
	// 200 https://bank.example.com
	// 200 https://app.example.com
	// 403 https://evil.example
	// 200
}
