package requestid_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	mux := httpadapter.NewMux(interceptor.MustNew(requestid.New()))
	mux.HandleFunc("GET /books", func(w http.ResponseWriter, r *http.Request) {
		id, _ := requestid.Key.From(r.Context())
		fmt.Println("handler:", id)
	})

	r := httptest.NewRequest(http.MethodGet, "/books", nil)
	r.Header.Set("X-Request-Id", "checkout-42")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println("client: ", w.Header().Get("X-Request-Id"))

	// An id that is not sane is as good as none, and errors carry an id as well.
	r = httptest.NewRequest(http.MethodGet, "/no/such/page", nil)
	r.Header.Set("X-Request-Id", "<script>")
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println("client: ", w.Code, len(w.Header().Get("X-Request-Id")), "characters of our own")

	// Output:
	// handler: checkout-42
	// client:  checkout-42
	// client:  404 26 characters of our own
}
