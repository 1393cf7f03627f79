// Command mutate shows that the tests guard the contract: each mutant breaks one
// rule by a small change to the code, and the tests it names must fail.
//
// A mutant is a text file in internal/mutate/testdata:
//
//	name: after-response-twice
//	rule: 2 (exactly once)
//	file: interceptor/end.go
//	test: ./interceptor
//	run: TestEndOnce
//	--- old
//	the text to replace, which occurs exactly once in the file
//	--- new
//	what replaces it
//
// test lists the packages, separated by spaces; run, a regular expression of test
// names, is optional and narrows them. The change reaches the compiler through
// go test -overlay, so no file of the module is touched.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "run the mutants whose name matches this regular expression")
	part := flag.String("part", "1/1", "run this part of them: 2/4 is every fourth in the order of their names, from the second on")
	parallel := flag.Int("p", 2, "how many mutants to test at once")
	limit := flag.Duration("limit", 2*time.Minute, "how long the tests of one mutant may take")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *part, *parallel, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func run(ctx context.Context, only, part string, parallel int, limit time.Duration) error {
	pick, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	mutants, err := load(filepath.Join(root, "internal", "mutate", "testdata"), pick)
	if err != nil {
		return err
	}
	mutants, err = partOf(mutants, part)
	if err != nil {
		return err
	}
	start := time.Now()
	b := &bench{root: root, parallel: max(1, parallel), limit: limit, finished: func(r result) {
		fmt.Fprintf(os.Stderr, "%s: %s\n", r.name, r.verdict)
	}}
	if err := b.baseline(ctx, mutants); err != nil {
		return err
	}
	results := b.test(ctx, mutants)
	survivors := report(os.Stdout, results)
	fmt.Printf("%d mutants, %d caught, %s\n", len(results), len(results)-survivors, time.Since(start).Round(time.Second))
	if survivors > 0 {
		return fmt.Errorf("%d of %d mutants were not caught; a surviving mutant wants a test, a stale one a new patch", survivors, len(results))
	}
	return nil
}

// partOf returns every n-th mutant from the k-th on, for a part written "k/n".
func partOf(mutants []*mutant, part string) ([]*mutant, error) {
	var k, n int
	if _, err := fmt.Sscanf(part, "%d/%d", &k, &n); err != nil || k < 1 || k > n {
		return nil, fmt.Errorf("-part %s: write which part of how many, such as 1/4", part)
	}
	var some []*mutant
	for i := k - 1; i < len(mutants); i += n {
		some = append(some, mutants[i])
	}
	return some, nil
}

// moduleRoot is the folder of the main module.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("finding the module with go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
