package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// verdict is what the tests said about a mutant.
type verdict string

// Only a caught mutant is good.
const (
	caught      verdict = "caught"
	survived    verdict = "NOT CAUGHT"
	stale       verdict = "DOES NOT APPLY"
	uncompiled  verdict = "DOES NOT COMPILE"
	interrupted verdict = "DID NOT FINISH"
)

type result struct {
	*mutant
	verdict verdict
	took    time.Duration
	detail  string // why a mutant is not caught
}

// bench tests mutants of the module at root.
type bench struct {
	root     string
	parallel int
	limit    time.Duration
	finished func(result) // called as each is known, from any goroutine; nil for nobody
}

// baseline makes sure that the tests pass without a mutant: a package that fails
// anyway would seem to catch everything.
func (b *bench) baseline(ctx context.Context, mutants []*mutant) error {
	var packages []string
	for _, m := range mutants {
		packages = append(packages, m.packages...)
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	// Results that go has kept will do, and the first build may take long.
	out, err := b.goTest(ctx, 10*time.Minute, packages)
	if err != nil {
		return fmt.Errorf("the tests fail without any mutant, so they cannot show anything: %w\n%s", err, out)
	}
	return nil
}

// test runs the mutants, so many at once, and returns their results in order.
func (b *bench) test(ctx context.Context, mutants []*mutant) []result {
	results := make([]result, len(mutants))
	slots := make(chan struct{}, b.parallel)
	var all sync.WaitGroup
	for i, m := range mutants {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			start := time.Now()
			v, detail := b.one(ctx, m)
			results[i] = result{m, v, time.Since(start), detail}
			if b.finished != nil {
				b.finished(results[i])
			}
		})
	}
	all.Wait()
	return results
}

// one runs the tests of one mutant.
func (b *bench) one(ctx context.Context, m *mutant) (verdict, string) {
	path := filepath.Join(b.root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(path)
	if err != nil {
		return stale, err.Error()
	}
	mutated, err := m.apply(string(source))
	if err != nil {
		return stale, err.Error()
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return interrupted, err.Error()
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := writeOverlay(dir, path, mutated)
	if err != nil {
		return interrupted, err.Error()
	}
	args := append([]string{"-count=1", "-overlay", overlay}, m.packages...)
	if m.run != "" {
		args = append(args, "-run", m.run)
	}
	out, err := b.goTest(ctx, b.limit+time.Minute, args)
	switch {
	case err == nil:
		return survived, ""
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return interrupted, err.Error()
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return uncompiled, firstLines(string(out), 6)
	case bytes.Contains(out, []byte("\nFAIL\t")) || bytes.HasPrefix(out, []byte("FAIL\t")):
		return caught, ""
	}
	return interrupted, firstLines(string(out), 6)
}

// writeOverlay writes the mutated file and the map that go's -overlay flag reads.
func writeOverlay(dir, path, mutated string) (string, error) {
	file := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(file, []byte(mutated), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: file}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// goTest runs go test at the module's root. Tests that hang are ended by go's own
// -timeout, which is a failure of the tests; whole ends a build that hangs.
func (b *bench) goTest(ctx context.Context, whole time.Duration, args []string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, whole, context.DeadlineExceeded)
	defer cancel()
	args = append([]string{"test", "-vet=off", "-failfast", "-timeout", b.limit.String()}, args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.root
	cmd.WaitDelay = 5 * time.Second // test binaries may keep the pipe open
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("go %s: %w", strings.Join(args, " "), context.Cause(ctx))
	}
	return out, err
}

func firstLines(text string, n int) string {
	lines := strings.SplitN(text, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}
