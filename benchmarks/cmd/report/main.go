// Report writes what benchmarks measured into a Markdown file: the budgets and
// whether they are met, the tail latencies, benchstat's table, and two plots.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	dir := flag.String("dir", "results", "folder of raw.txt, tail.txt and idle.txt; the plots are written there")
	out := flag.String("o", "RESULTS.md", "file to write")
	flag.Parse()
	if err := run(*dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	r, err := read(filepath.Join(dir, "raw.txt"), filepath.Join(dir, "idle.txt"), filepath.Join(dir, "tail.txt"))
	if err != nil {
		return fmt.Errorf("%w; run make bench", err)
	}
	var page strings.Builder
	page.WriteString("# Results\n\nWritten by `make bench`; not edited by hand. [README.md](README.md) says what is measured and how to repeat it.\n")
	writeMachine(&page, dir, r)
	writeBudgets(&page, r)
	writeTail(&page, r)
	if err := writePlots(&page, dir, r); err != nil {
		return err
	}
	writeBenchstat(&page, dir)
	return os.WriteFile(out, []byte(page.String()), 0o644) //nolint:gosec // the page is public
}

// writePlots writes the plots, and shows them on the page.
func writePlots(page *strings.Builder, dir string, r *results) error {
	var lines []series
	for _, s := range slopes {
		if points := r.points(s.name, usual); len(points) > 1 {
			lines = append(lines, series{strings.TrimPrefix(s.name, "Hooks/"), points})
		}
	}
	var bars []bar
	for _, name := range r.names {
		if way, ok := strings.CutPrefix(name, "REST/"); ok {
			v, _ := r.value(name, usual)
			bars = append(bars, bar{way, v / 1000})
		}
	}
	page.WriteString("\n## Plots\n")
	for _, plot := range []struct{ file, about, svg string }{
		{"hooks.svg", "Cost of a call against the number of no-op hooks", plotLines("A call behind no-op hooks", "hooks", "ns more than behind none", lines)},
		{"rest.svg", "A REST request by way of registration", plotBars("A REST request, without the client's socket", "µs", bars)},
	} {
		if err := os.WriteFile(filepath.Join(dir, plot.file), []byte(plot.svg), 0o644); err != nil { //nolint:gosec // the plot is public
			return err
		}
		fmt.Fprintf(page, "\n![%s](%s)\n", plot.about, filepath.ToSlash(filepath.Join(filepath.Base(dir), plot.file)))
	}
	return nil
}
