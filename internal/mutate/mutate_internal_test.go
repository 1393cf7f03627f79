package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const sample = `name: sample
rule: 1 (a rule)
file: sum.go
test: ./...
run: TestSum
--- old
return a + b
--- new
return a - b
`

func TestParse(t *testing.T) {
	t.Parallel()
	m, err := parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	if m.name != "sample" || m.rule != "1 (a rule)" || m.file != "sum.go" || m.run != "TestSum" || m.old != "return a + b" || m.new != "return a - b" {
		t.Errorf("parsed %+v", m)
	}
	for name, text := range map[string]string{
		"no old":       "name: x\n--- new\n",
		"no new":       strings.Replace(sample, "--- new\n", "", 1),
		"unknown key":  "colour: red\n" + sample,
		"not a header": "hello\n" + sample,
		"no name":      strings.Replace(sample, "name: sample\n", "", 1),
		"no change":    strings.Replace(sample, "a - b", "a + b", 1),
	} {
		if m, err := parse(text); err == nil {
			t.Errorf("%s: parsed %+v", name, m)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := load(dir, regexp.MustCompile("")); err == nil {
		t.Error("an empty folder is no set of mutants")
	}
	write(t, dir, "a.txt", sample)
	if got, err := load(dir, regexp.MustCompile("sam")); err != nil || len(got) != 1 {
		t.Errorf("loaded %v, %v", got, err)
	}
	write(t, dir, "b.txt", sample)
	if _, err := load(dir, regexp.MustCompile("")); err == nil || !strings.Contains(err.Error(), "is taken by") {
		t.Errorf("two mutants of one name: %v", err)
	}
}

// TestVerdicts tests mutants of a module small enough to build in a moment.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module sum\n\ngo 1.26\n")
	write(t, dir, "sum.go", "package sum\n\n// unused unused\n\nfunc Sum(a, b int) int { return a + b }\n")
	write(t, dir, "sum_test.go", "package sum\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n")
	change := func(name, before, after string) *mutant {
		return &mutant{name: name, rule: "1", file: "sum.go", packages: []string{"."}, run: "TestSum", old: before, new: after}
	}
	mutants := []*mutant{
		change("wrong", "a + b", "a - b"),
		change("hang", "return a + b", "select {}"),
		change("same", "a + b", "b + a"),
		change("broken", "a + b", "a + c"),
		change("gone", "a * b", "a"),
		change("ambiguous", "unused", "used"),
	}
	want := []verdict{caught, caught, survived, uncompiled, stale, stale}
	b := &bench{root: dir, parallel: 2, limit: 2 * time.Second}
	if err := b.baseline(t.Context(), mutants); err != nil {
		t.Fatal(err)
	}
	results := b.test(t.Context(), mutants)
	for i, r := range results {
		if r.verdict != want[i] {
			t.Errorf("%s is %s, want %s: %s", r.name, r.verdict, want[i], r.detail)
		}
	}
	var text strings.Builder
	if bad := report(&text, results); bad != 4 || !strings.Contains(text.String(), "NOT CAUGHT: same in sum.go") {
		t.Errorf("reported %d bad ones:\n%s", bad, &text)
	}
	write(t, dir, "sum.go", "package sum\n\nfunc Sum(a, b int) int { return 0 }\n")
	if err := b.baseline(t.Context(), mutants); err == nil {
		t.Error("failing tests passed as a baseline")
	}
}

// TestMutantsApply: every mutant still matches the code, without running it.
func TestMutantsApply(t *testing.T) {
	t.Parallel()
	mutants, err := load("testdata", regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		source, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(m.file)))
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := m.apply(string(source)); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestParts checks that the parts are disjoint and together the whole.
func TestParts(t *testing.T) {
	t.Parallel()
	all := make([]*mutant, 10)
	for i := range all {
		all[i] = &mutant{}
	}
	seen := map[*mutant]int{}
	for _, part := range []string{"1/4", "2/4", "3/4", "4/4"} {
		some, err := partOf(all, part)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range some {
			seen[m]++
		}
	}
	for i, m := range all {
		if seen[m] != 1 {
			t.Errorf("mutant %d is in %d parts", i, seen[m])
		}
	}
	for _, bad := range []string{"", "0/4", "5/4", "1", "x/y"} {
		if _, err := partOf(all, bad); err == nil {
			t.Errorf("the part %q is accepted", bad)
		}
	}
}
