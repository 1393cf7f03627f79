package httpwire_test

import (
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/internal/httpwire"
)

func TestHasDotSegment(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"":                          false,
		"/":                         false,
		"/v1/items/1":               false,
		"/v1/files/a.txt":           false,
		"/v1/files/..a/b..":         false,
		"/v1/files/...":             false,
		"/.well-known/x":            false,
		"/v1/files/../items/1":      true,
		"/v1/files/./items/1":       true,
		"/v1/files/..":              true,
		"/..":                       true,
		"../x":                      true,
		"/v1/files/a/../../items/1": true,
		`/v1/files/..\items`:        true,
	} {
		if got := httpwire.HasDotSegment(path); got != want {
			t.Errorf("HasDotSegment(%q) = %v, want %v", path, got, want)
		}
	}
}

// FuzzHasDotSegment compares with the obvious way to say the same.
func FuzzHasDotSegment(f *testing.F) {
	for _, seed := range []string{"/a/../b", "/a/.", "..", `\..\`, "/a.b/..c/", "//.//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		want := false
		for _, segment := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
			want = want || segment == "." || segment == ".."
		}
		if got := httpwire.HasDotSegment(path); got != want {
			t.Errorf("HasDotSegment(%q) = %v, want %v", path, got, want)
		}
	})
}
