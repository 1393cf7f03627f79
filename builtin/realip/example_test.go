package realip_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func Example() {
	mux := httpadapter.NewMux(interceptor.MustNew(realip.New(realip.Trust("10.0.0.0/8"))))
	mux.HandleFunc("GET /", func(_ http.ResponseWriter, r *http.Request) {
		addr, ok := realip.From(r.Context())
		fmt.Println(addr, ok)
	})
	get := func(peer, forwardedFor string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", forwardedFor)
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}

	// Our proxy 10.0.0.7 was called by our proxy 10.0.0.9, and that by the client,
	// who wrote 1.1.1.1 himself.
	get("10.0.0.7:4711", "1.1.1.1, 198.51.100.5, 10.0.0.9")
	// A stranger's header means nothing.
	get("203.0.113.9:4711", "198.51.100.5")
	// Our proxy does not know whom it was called by.
	get("10.0.0.7:4711", "unknown")

	// Output:
	// 198.51.100.5 true
	// 203.0.113.9 true
	// invalid IP false
}
