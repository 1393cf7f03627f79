package basic_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/basic"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	// Made once, with basic.Hash, and stored.
	hash := []byte("$2a$04$WK8BhhCo/.AzA4AGQS685OCJn9eRJj1NNtxIrthmI.e1G2xO2lJH.")

	users := basic.Static(map[string]basic.User{"alice": {Hash: hash}})
	mux := httpadapter.NewMux(interceptor.MustNew(authn.New(basic.New(users, basic.Realm("bookshop")))))
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		p, _ := authn.From(r.Context())
		_, _ = fmt.Fprint(w, "hello ", p.Subject())
	})

	for _, password := range []string{"open sesame", "open wheat"} {
		r := httptest.NewRequest(http.MethodGet, "/me", http.NoBody)
		r.SetBasicAuth("alice", password)
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
	// 401 Basic realm="bookshop", charset="UTF-8"
}
