package apikey_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/apikey"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	// Once, for a new client: it gets the key, the service keeps the record.
	key, record := apikey.Generate("shop", authn.NewPrincipal("svc-1", authn.WithScopes("items.read")))

	scheme := apikey.New(apikey.Static(record))
	mux := httpadapter.NewMux(interceptor.MustNew(authn.New(scheme)))
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		p, _ := authn.From(r.Context())
		_, _ = fmt.Fprintf(w, "%s, may read: %v", p, p.HasScope("items.read"))
	})

	for _, k := range []string{key, strings.ToUpper(key), ""} {
		r := httptest.NewRequest(http.MethodGet, "/me", http.NoBody)
		if k != "" {
			r.Header.Set("X-Api-Key", k)
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
	// 200 svc-1 (apikey), may read: true
	// 401 ApiKey header="x-api-key"
	// 401 ApiKey header="x-api-key"
}
