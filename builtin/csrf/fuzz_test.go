package csrf_test

import (
	"mime"
	"net/http"
	"slices"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/csrf"
)

// FuzzContentType checks against package mime that what is let through is never
// one of the types a page may send without asking.
func FuzzContentType(f *testing.F) {
	for _, s := range []string{"application/json", "text/plain; application/json", "text/plain,a/b+json", "a/b+json;;", "multipart/form-data\t;", ""} {
		f.Add(s)
	}
	hook := csrf.New()
	simple := []string{"", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"}
	f.Fuzz(func(t *testing.T, value string) {
		got := send(hook, http.MethodPost, host, rpc, headers("Cookie", "x=y", "Content-Type", value))
		essence, _, err := mime.ParseMediaType(value)
		if got.Reached && err == nil && slices.Contains(simple, essence) {
			t.Fatalf("%q passes as JSON and is %q", value, essence)
		}
		if !got.Reached && essence == "application/json" && err == nil {
			t.Fatalf("%q is refused: %v", value, got.Err)
		}
	})
}
