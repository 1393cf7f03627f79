package fidelity_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// FuzzErrorBody: whatever an error says and a client accepts, the answer is JSON
// with the code, of a status that is a failure, and its length is its own.
func FuzzErrorBody(f *testing.F) {
	for _, accept := range []string{"", "application/json", "application/problem+json", "application/problem+json;q=0.1, */*", ";;,q=", "text/html;q=nan"} {
		f.Add(uint32(codes.NotFound), 0, "plain", accept)
		f.Add(uint32(99), 299, "\xff\x00\u2028</script>", accept)
	}
	f.Fuzz(func(t *testing.T, code uint32, httpStatus int, message, accept string) {
		failing := httpadapter.HandlerFunc(func(http.ResponseWriter, *http.Request) error {
			return interceptor.NewError(codes.Code(code), message, interceptor.WithHTTPStatus(httpStatus))
		})
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Accept", accept)
		httpadapter.Wrap(quiet(interceptor.MustNew()), failing).ServeHTTP(rec, r)
		got := rec.Result()
		if got.StatusCode < 400 || !strings.HasSuffix(got.Header.Get("Content-Type"), "json") || got.ContentLength != int64(rec.Body.Len()) {
			t.Errorf("%d %v with %d bytes", got.StatusCode, got.Header, rec.Body.Len())
		}
		var body struct{ Code any }
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || body.Code == nil {
			t.Errorf("body %q: %v", rec.Body, err)
		}
	})
}
