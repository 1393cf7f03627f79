package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints the results as a table, explains the bad ones below it, and
// returns how many those are.
func report(w io.Writer, results []result) (bad int) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "rule\tmutant\tverdict\ttime\ttests")
	for _, r := range results {
		tests := strings.Join(r.packages, " ")
		if r.run != "" {
			tests += " -run " + r.run
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.rule, r.name, r.verdict, r.took.Round(100*time.Millisecond), tests)
	}
	_ = table.Flush()
	for _, r := range results {
		if r.verdict == caught {
			continue
		}
		bad++
		_, _ = fmt.Fprintf(w, "\n%s: %s in %s\n%s\n", r.verdict, r.name, r.file, r.detail)
	}
	return bad
}
