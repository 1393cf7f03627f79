package deptest_test

import (
	"go/ast"
	"go/parser"
	"testing"
)

// TestPackageComments fails for a package that `go doc` cannot introduce, and for one that introduces itself twice: the
// parts would be joined in the order of the file names. Generated code brings its own comments and is left alone.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, path := range g.matching(module + "/...") {
		var written, commented int
		for _, file := range g[path].parse(t, parser.PackageClauseOnly|parser.ParseComments) {
			if ast.IsGenerated(file) {
				continue
			}
			written++
			if file.Doc != nil {
				commented++
			}
		}
		switch {
		case len(g[path].GoFiles) == 0:
			t.Errorf("%s has only tests; say what they are for in a package comment in doc.go", path)
		case written > 0 && commented == 0:
			t.Errorf("%s has no package comment; say in one sentence what it is", path)
		case commented > 1:
			t.Errorf("%s has %d package comments; keep one, in doc.go when it is long", path, commented)
		}
	}
}
