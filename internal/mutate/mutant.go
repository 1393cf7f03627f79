package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mutant is one change that the tests must notice.
type mutant struct {
	name     string
	rule     string
	file     string // slash-separated, relative to the module
	packages []string
	run      string // for go test -run, "" for all tests
	old, new string
}

// load reads the mutants of a folder whose names match pick, in the order of
// their file names.
func load(dir string, pick *regexp.Regexp) ([]*mutant, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var mutants []*mutant
	var problems []error
	seen := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m, err := parse(string(text))
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", path, err))
			continue
		}
		if other, ok := seen[m.name]; ok {
			problems = append(problems, fmt.Errorf("%s: the name %s is taken by %s", path, m.name, other))
		}
		seen[m.name] = path
		if pick.MatchString(m.name) {
			mutants = append(mutants, m)
		}
	}
	if len(mutants) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("no mutants in %s", dir))
	}
	return mutants, errors.Join(problems...)
}

// parse reads one mutant file.
func parse(text string) (*mutant, error) {
	head, rest, found := strings.Cut(text, "--- old\n")
	before, after, both := strings.Cut(rest, "--- new\n")
	if !found || !both {
		return nil, errors.New(`wants the lines "--- old" and "--- new"`)
	}
	m := &mutant{old: strings.TrimSuffix(before, "\n"), new: strings.TrimSuffix(after, "\n")}
	for line := range strings.Lines(head) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			return nil, fmt.Errorf("line %q is not of the form key: value", strings.TrimSpace(line))
		}
		switch key {
		case "name":
			m.name = value
		case "rule":
			m.rule = value
		case "file":
			m.file = value
		case "test":
			m.packages = strings.Fields(value)
		case "run":
			m.run = value
		default:
			return nil, fmt.Errorf("unknown key %q; there are name, rule, file, test and run", key)
		}
	}
	if m.name == "" || m.rule == "" || m.file == "" || len(m.packages) == 0 || m.old == "" {
		return nil, errors.New("name, rule, file, test and the old text are all needed")
	}
	if m.old == m.new {
		return nil, errors.New("the new text is the old one")
	}
	return m, nil
}

// apply returns the mutated text of a file. The old text must occur exactly once,
// or nobody can tell what the mutant breaks.
func (m *mutant) apply(source string) (string, error) {
	if n := strings.Count(source, m.old); n != 1 {
		return "", fmt.Errorf("stale mutant: its old text occurs %d times in %s, want once", n, m.file)
	}
	return strings.Replace(source, m.old, m.new, 1), nil
}
