package authn_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	dev := authn.StaticTokens(map[string]string{"dev": "alice"})
	mux := httpadapter.NewMux(interceptor.MustNew(authn.New(authn.Bearer(dev))))
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		p, _ := authn.From(r.Context())
		_, _ = fmt.Fprint(w, "hello ", p.Subject())
	})

	for _, credential := range []string{"Bearer dev", "Bearer stolen", ""} {
		r := httptest.NewRequest(http.MethodGet, "/me", nil)
		if credential != "" {
			r.Header.Set("Authorization", credential)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Println(w.Code, w.Body)
		} else {
			fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}

	// Output:
	// 200 hello alice
	// 401 Bearer
	// 401 Bearer
}
