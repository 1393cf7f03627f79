package csrf_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/csrf"
)

func TestMisuse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, advice string
		make         func()
	}{
		{"slash", "nothing else", func() { csrf.TrustOrigins(app, app+"/") }},
		{"null", "sandboxed", func() { csrf.TrustOrigins("null") }},
		{"wildcard", "one by one", func() { csrf.TrustOrigins("https://*.example.test") }},
		{"usual port", "leave out the port", func() { csrf.TrustOrigins("https://a.test:443") }},
		{"host alone", "scheme is missing", func() { csrf.TrustOrigins("a.test") }},
		{"text", "every page on the web", func() { csrf.ContentTypes("text/plain") }},
		{"form", "every page on the web", func() { csrf.ContentTypes("application/x-www-form-urlencoded") }},
		{"multipart form", "every page on the web", func() { csrf.ContentTypes("multipart/form-data") }},
		{"text in upper case", "lower case", func() { csrf.ContentTypes("Text/Plain") }},
		{"parameters", "without parameters", func() { csrf.ContentTypes("application/xml; charset=utf-8") }},
		{"any", "write a media type", func() { csrf.ContentTypes("xml") }},
		{"empty", "write a media type", func() { csrf.ContentTypes("") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "csrf.") || !strings.Contains(text, tt.advice) {
					t.Errorf("panic %q; want one that says %q", text, tt.advice)
				}
			}()
			tt.make()
		})
	}
}
