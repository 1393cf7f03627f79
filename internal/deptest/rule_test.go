package deptest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rule says what some packages must not depend on, and why.
type rule struct {
	packages []string // patterns of the packages it holds for
	except   []string // packages among them it does not hold for
	only     []string // if set: what they may import directly besides the standard library
	onlyStd  bool     // they import the standard library alone
	never    []string // what they must not reach, directly or through any other package
	reason   string
}

// exception allows one builtin to use some names of another.
type exception struct {
	from, to string
	names    []string
	reason   string
}

// exceptionFor returns the names of package to that package from may use.
func exceptionFor(from, to string) map[string]bool {
	allowed := make(map[string]bool)
	for _, e := range exceptions {
		if e.from == from && e.to == to {
			for _, name := range e.names {
				allowed[name] = true
			}
		}
	}
	return allowed
}

// patterns returns everything the rule names.
func (r rule) patterns() []string {
	return slices.Concat(r.packages, r.except, r.only, r.never)
}

// check returns one sentence per violation of the rule.
func (r rule) check(g graph) []string {
	var violations []string
	for _, pattern := range r.packages {
		for _, path := range g.matching(pattern) {
			if matchesAny(r.except, path) || !g.own(path) {
				continue
			}
			violations = append(violations, r.checkDirect(g, path)...)
			violations = append(violations, r.checkReached(g, path)...)
		}
	}
	return violations
}

// checkDirect reports imports of the package that are not on the rule's list.
func (r rule) checkDirect(g graph, path string) []string {
	if r.only == nil && !r.onlyStd {
		return nil
	}
	var violations []string
	for _, imported := range g[path].Imports {
		if !g[imported].Standard && !matchesAny(r.only, imported) {
			violations = append(violations, fmt.Sprintf("%s imports %s.", path, imported))
		}
	}
	return violations
}

// checkReached reports packages the rule forbids, each with the shortest way there: without it nobody would find the
// import to remove.
func (r rule) checkReached(g graph, path string) []string {
	if r.never == nil {
		return nil
	}
	var violations []string
	for reached, way := range g.reach(path) {
		if matchesAny(r.never, reached) {
			violations = append(violations, fmt.Sprintf("%s depends on %s:\n\t%s.", path, reached, strings.Join(way, " → ")))
		}
	}
	slices.Sort(violations)
	return violations
}

// TestRuleFindsViolations guards the guard: a check that never complains would pass for ever.
func TestRuleFindsViolations(t *testing.T) {
	t.Parallel()
	own := &listedModule{Main: true}
	g := graph{
		"m/a":     {ImportPath: "m/a", Module: own, Imports: []string{"fmt", "m/b"}},
		"m/b":     {ImportPath: "m/b", Module: own, Imports: []string{"x/heavy"}},
		"m/c":     {ImportPath: "m/c", Module: own, Imports: []string{"fmt"}},
		"x/heavy": {ImportPath: "x/heavy", Imports: []string{"fmt", "m/c"}},
		"fmt":     {ImportPath: "fmt", Standard: true},
	}
	tests := []struct {
		name string
		rule rule
		want []string
	}{
		{"listed import", rule{packages: []string{"m/a"}, only: []string{"m/b"}}, nil},
		{"unlisted import", rule{packages: []string{"m/a"}, only: []string{"x/..."}}, []string{"m/a imports m/b."}},
		{"standard library only", rule{packages: []string{"m/c"}, onlyStd: true}, nil},
		{"not the standard library", rule{packages: []string{"m/b"}, onlyStd: true}, []string{"m/b imports x/heavy."}},
		{"reached through another", rule{packages: []string{"m/a"}, never: []string{"x/..."}}, []string{"m/a depends on x/heavy:\n\tm/a → m/b → x/heavy."}},
		{"not reached", rule{packages: []string{"m/c"}, never: []string{"x/heavy"}}, nil},
		{"pattern with an exception", rule{packages: []string{"m/..."}, except: []string{"m/a"}, never: []string{"x/heavy"}}, []string{"m/b depends on x/heavy:\n\tm/b → x/heavy."}},
		{"itself is not reached", rule{packages: []string{"m/c"}, never: []string{"m/c"}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.rule.check(g); !slices.Equal(got, test.want) {
				t.Errorf("check() = %q, want %q", got, test.want)
			}
		})
	}
}
