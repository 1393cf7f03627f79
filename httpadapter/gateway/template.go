package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

// canonical returns the path template as runtime.Pattern prints it, which is
// what a match can be compared with: "/v1/items/{id}" becomes
// "/v1/items/{id=*}".
//
// The gateway's template compiler is internal to it, so the template is
// registered on a mux of its own and a path that it matches is sent through.
func canonical(template string) (string, error) {
	mux := runtime.NewServeMux()
	pattern := ""
	err := mux.HandlePath(http.MethodGet, template, func(_ http.ResponseWriter, r *http.Request, _ map[string]string) {
		if p, ok := runtime.HTTPPattern(r.Context()); ok {
			pattern = p.String()
		}
	})
	if err != nil {
		return "", fmt.Errorf("path template %q: %w", template, err)
	}
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: samplePath(template)}, Header: http.Header{}}
	mux.ServeHTTP(discard{http.Header{}}, r)
	if pattern == "" {
		return "", fmt.Errorf("path template %q: the gateway does not match it with %q", template, r.URL.Path)
	}
	return pattern, nil
}

// samplePath returns a path that the template matches: every variable by what it
// stands for, every wildcard by one segment.
func samplePath(template string) string {
	var b strings.Builder
	for rest := template; rest != ""; {
		literal, variable, found := strings.Cut(rest, "{")
		b.WriteString(literal)
		if !found {
			break
		}
		variable, rest, _ = strings.Cut(variable, "}")
		if _, inner, has := strings.Cut(variable, "="); has {
			b.WriteString(inner)
		} else {
			b.WriteByte('*')
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "**", "*"), "*", "x")
}

// asWritten undoes what [canonical] adds to plain variables. It names routes
// that no descriptor knows; nothing is matched with it.
func asWritten(pattern string) string { return strings.ReplaceAll(pattern, "=*}", "}") }

// discard is a ResponseWriter for requests that nobody sent.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
