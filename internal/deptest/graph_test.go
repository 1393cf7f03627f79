package deptest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// graph is every package of the module and everything they depend on, tests aside, by import path.
type graph map[string]*listedPackage

// listedPackage is what `go list -json` says about one package, as far as it is needed here.
type listedPackage struct {
	Dir        string
	ImportPath string
	Name       string
	GoFiles    []string
	Imports    []string
	Standard   bool
	Module     *listedModule
}

// listedModule is the module a package belongs to.
type listedModule struct {
	Main bool
}

// load returns the graph of this module. The Go command lists it once for all tests.
func load(t *testing.T) graph {
	t.Helper()
	watch(t)
	g, err := list()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// watch reads every folder of the module. The Go command repeats a passed test without running it until something changes
// that the test's own process has read, and what `go list` reads is not that.
func watch(t *testing.T) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// list asks the Go command, which fails on an import that does not resolve: a rule must not pass on part of the graph.
var list = sync.OnceValues(func() (graph, error) {
	const fields = "-json=Dir,ImportPath,Name,GoFiles,Imports,Standard,Module"
	var stderr bytes.Buffer
	cmd := exec.Command("go", "list", "-deps", fields, module+"/...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd.Args, err, stderr.String())
	}
	g := make(graph)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, fmt.Errorf("output of %v: %w", cmd.Args, err)
		}
		g[p.ImportPath] = &p
	}
})

// own reports whether a package belongs to this module.
func (g graph) own(path string) bool {
	p := g[path]
	return p.Module != nil && p.Module.Main
}

// matching returns the import paths that match a pattern, in order.
func (g graph) matching(pattern string) []string {
	var found []string
	for path := range g {
		if matches(pattern, path) {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	return found
}

// reach returns every package that path depends on, with a shortest way from path to it.
func (g graph) reach(path string) map[string][]string {
	ways := map[string][]string{path: {path}}
	for queue := []string{path}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, next := range g[at].Imports {
			if _, seen := ways[next]; seen || g[next] == nil {
				continue // "C" and "unsafe" are imported but are no packages.
			}
			ways[next] = append(slices.Clip(ways[at]), next)
			queue = append(queue, next)
		}
	}
	delete(ways, path)
	return ways
}

// imports reports whether the package imports path directly.
func (p *listedPackage) imports(path string) bool {
	return slices.Contains(p.Imports, path)
}

// selectors returns the names of package imported that the package's files use, in order.
func (p *listedPackage) selectors(t *testing.T, imported string) []string {
	t.Helper()
	var names []string
	for _, file := range p.parse(t, parser.SkipObjectResolution) {
		local := localName(file, imported)
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
					names = append(names, sel.Sel.Name)
				}
			}
			return true
		})
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// localName returns the name by which a file refers to an imported package, or "" if it does not import it. Our packages
// are named like their folders.
func localName(file *ast.File, imported string) string {
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != imported {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}

// parse returns the package's files that are not tests.
func (p *listedPackage) parse(t *testing.T, mode parser.Mode) []*ast.File {
	t.Helper()
	files := make([]*ast.File, 0, len(p.GoFiles))
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, mode)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// matches reports whether an import path matches a pattern: itself, or with "/..." everything at and below it.
func matches(pattern, path string) bool {
	if above, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == above || strings.HasPrefix(path, above+"/")
	}
	return path == pattern
}

// matchesAny reports whether an import path matches one of the patterns.
func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, path) })
}
