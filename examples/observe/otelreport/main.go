// Otelreport makes the same calls of two servers, one instrumented by otelgrpc and
// otelhttp and one by package telemetry, and writes down what each reports. It
// fails when they differ in a way that the table in explain.go does not explain,
// and when the table explains what does not differ.
//
//	make otelreport
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "otelreport:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("otelreport", flag.ContinueOnError)
	out := flags.String("out", "otel-differences.md", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	page, err := report(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, []byte(page), 0o644) //nolint:gosec // documentation is for everybody to read
}

// comparison is what both servers report of one scene.
type comparison struct {
	scene        scene
	theirs, ours facts
}

// report plays all scenes and returns the page, or an error that names each
// difference without an explanation and each explanation without a difference.
func report(ctx context.Context) (string, error) {
	var all []comparison
	for _, s := range scenes {
		theirs, err := observe(ctx, s, newContrib)
		if err != nil {
			return "", fmt.Errorf("%s, otelgrpc and otelhttp: %w", s.title, err)
		}
		ours, err := observe(ctx, s, newCrosscut)
		if err != nil {
			return "", fmt.Errorf("%s, crosscut: %w", s.title, err)
		}
		all = append(all, comparison{s, theirs, ours})
	}
	if err := checkExplained(all, explanations); err != nil {
		return "", err
	}
	return page(all), nil
}

// checkExplained compares the differences with the table.
func checkExplained(all []comparison, table []explanation) error {
	var errs []error
	used := make([]bool, len(table))
	for _, c := range all {
		for _, d := range c.differences() {
			i := d.explainedBy(table)
			if i < 0 {
				errs = append(errs, fmt.Errorf("nothing explains why, for %q, %s is %q with otelgrpc and otelhttp and %q with crosscut; add it to explain.go or correct the code",
					c.scene.title, d.fact, d.theirs, d.ours))
				continue
			}
			used[i] = true
		}
	}
	for i, e := range table {
		if !used[i] {
			errs = append(errs, fmt.Errorf("explanation %d, %q, explains no difference; remove it", i+1, e.what))
		}
	}
	return errors.Join(errs...)
}
