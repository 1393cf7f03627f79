package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// writeMachine says where, when and of what the results are.
func writeMachine(page *strings.Builder, dir string, r *results) {
	about, err := os.ReadFile(filepath.Join(dir, "machine.txt"))
	if err != nil {
		about = []byte("unknown: machine.txt is missing\n")
	}
	rounds := []int{0}
	for _, units := range r.values {
		rounds = append(rounds, len(units[ns]))
	}
	slices.Sort(rounds)
	fmt.Fprintf(page, "\n## Machine\n\n```\n%s%s %s/%s, medians of %d rounds, and more short ones of hooks\n```\n", about, runtime.Version(), runtime.GOOS, runtime.GOARCH, rounds[len(rounds)/2])
	page.WriteString("\nThe load averages say how busy the machine was: with more than its number of CPUs, times are not to be trusted, and ratios less than usual.\n")
	versions, err := exec.Command("go", append([]string{"list", "-m", "-f", "{{.Path}} {{.Version}}"}, compared...)...).Output()
	if err == nil {
		fmt.Fprintf(page, "\n```\n%s```\n", versions)
	}
}

// compared are the modules whose versions matter.
var compared = []string{
	"google.golang.org/grpc", "github.com/grpc-ecosystem/grpc-gateway/v2", "github.com/grpc-ecosystem/go-grpc-middleware/v2",
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc", "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
	"go.opentelemetry.io/otel/sdk", "github.com/go-chi/chi/v5", "github.com/go-kratos/kratos/v2", "connectrpc.com/connect", "github.com/fullstorydev/grpchan",
}

// writeBudgets writes the table of rows.
func writeBudgets(page *strings.Builder, r *results) {
	page.WriteString("\n## Budgets\n\n\"Added\" is over the same call with nothing installed. A ratio is to what stands in the second column, of the same run. " +
		"Measured are the medians of all rounds. The last two columns say the same by the CPU time of the whole process, which other work on the machine does not add to (over loopback it includes the client), " +
		"and by the least times of all rounds, to which everything else that happens on a machine adds. Rows without a budget are there to compare.\n")
	page.WriteString("\n| what | beside | budget | measured | met? | by CPU time | by the least |\n|---|---|---|---|---|---|---|\n")
	for _, row := range rows {
		budget, measured, met := row.judge(r)
		fmt.Fprintf(page, "| %s | %s | %s | %s | %s | %s | %s |\n", row.what, row.beside, budget, measured, met, row.times(r, byCPU), row.times(r, least))
	}
	for _, s := range slopes {
		points := r.points(s.name, usual)
		if len(points) < 2 {
			fmt.Fprintf(page, "| %s | | ≤ %g ns | not measured | **no** | | |\n", s.what, s.most)
			continue
		}
		slope, _, r2 := fit(points)
		more, _, _ := fit(r.points(s.name, reading{allocs, median}))
		budget, met := fmt.Sprintf("≤ %g ns, r² ≥ 0.99, 0 allocs", s.most), verdict(slope > 0 && slope <= s.most && r2 >= 0.99 && more < 0.01)
		if s.most == 0 {
			budget, met = "", ""
		}
		fmt.Fprintf(page, "| %s | | %s | %s, %.2f allocs | %s | %s | %s |\n", s.what, budget, line(points), math.Abs(more), met,
			line(r.points(s.name, byCPU)), line(r.points(s.name, least)))
	}
}

// line tells how much more y is for each x, and how well that fits.
func line(points []point) string {
	slope, _, r2 := fit(points)
	return fmt.Sprintf("%.1f ns, r² %.3f", slope, r2)
}

// judge compares a row with what was measured.
func (row row) judge(r *results) (budget, measured, met string) {
	var budgets, figures []string
	good := true
	for _, l := range row.limits {
		per := cmp.Or(l.per, 1)
		ours, ok := r.added(row.ours, reading{l.unit, median})
		ours /= per
		switch {
		case !ok:
			budgets, figures = append(budgets, "≤ "+quantity(l.max, l.unit)), append(figures, "not measured")
			good = false
		case l.relative:
			theirs, ok := r.added(row.theirs, reading{l.unit, median})
			quotient := ours / theirs
			if l.max == unlimited {
				figures = append(figures, fmt.Sprintf("%.2f × (%s of %s)", quotient, quantity(ours, l.unit), quantity(theirs, l.unit)))
				return "", strings.Join(figures, ", "), ""
			}
			budgets = append(budgets, fmt.Sprintf("≤ %.2f ×", l.max))
			figures = append(figures, fmt.Sprintf("%.2f × (%s of %s)", quotient, quantity(ours, l.unit), quantity(theirs, l.unit)))
			// What adds less than nothing is noise, and proves nothing.
			good = good && ok && ours > 0 && theirs > 0 && quotient <= l.max
		default:
			budgets, figures = append(budgets, "≤ "+quantity(l.max, l.unit)), append(figures, quantity(ours, l.unit))
			// A tenth of an allocation is the transport's, which allocates now and then.
			good = good && (ours <= l.max || l.unit == allocs && ours <= l.max+0.1)
		}
	}
	return strings.Join(budgets, ", "), strings.Join(figures, ", "), verdict(good)
}

// times tells the times of a row in another reading.
func (row row) times(r *results, by reading) string {
	var figures []string
	for _, l := range row.limits {
		if l.unit != ns {
			continue
		}
		ours, ok := r.added(row.ours, by)
		if !ok {
			return "not measured"
		}
		ours /= cmp.Or(l.per, 1)
		if !l.relative {
			figures = append(figures, quantity(ours, ns))
			continue
		}
		theirs, ok := r.added(row.theirs, by)
		if !ok {
			return "not measured"
		}
		figures = append(figures, fmt.Sprintf("%.2f × (%s of %s)", ours/theirs, quantity(ours, ns), quantity(theirs, ns)))
	}
	return strings.Join(figures, ", ")
}

func verdict(met bool) string {
	if met {
		return "yes"
	}
	return "**no**"
}

// quantity writes a measurement for people.
func quantity(v float64, unit string) string {
	switch {
	case unit == ns && math.Abs(v) >= 1000:
		return fmt.Sprintf("%.2f µs", v/1000)
	case unit == ns:
		return fmt.Sprintf("%.0f ns", v)
	case unit == allocs:
		return fmt.Sprintf("%.4g allocs", v)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

// writeTail writes both distributions and the median of the pairs.
func writeTail(page *strings.Builder, r *results) {
	page.WriteString("\n## Tail latency\n\nUnary calls over loopback at half of the slower server's capacity, open-loop, in alternating pairs; wrapped is W5.\n")
	page.WriteString("\n| pair | p50 unwrapped | wrapped | p99 unwrapped | wrapped | p99.9 unwrapped | wrapped | p99 ratio |\n|---|---|---|---|---|---|---|---|\n")
	bare, with := r.values["Tail/unwrapped"], r.values["Tail/wrapped"]
	pairs := min(len(bare["p99-ns"]), len(with["p99-ns"]))
	var quotients []float64
	for i := range pairs {
		fmt.Fprintf(page, "| %d |", i+1)
		for _, unit := range []string{"p50-ns", "p99-ns", "p99.9-ns"} {
			fmt.Fprintf(page, " %s | %s |", quantity(bare[unit][i], ns), quantity(with[unit][i], ns))
		}
		quotients = append(quotients, with["p99-ns"][i]/bare["p99-ns"][i])
		fmt.Fprintf(page, " %.3f |\n", quotients[i])
	}
	if pairs == 0 {
		page.WriteString("\nNot measured.\n")
		return
	}
	rate, _ := r.value("Tail/unwrapped", reading{"calls/s", median})
	middle := median(quotients)
	fmt.Fprintf(page, "\nMedian of the p99 ratios of %d pairs at %.0f calls/s: %.3f, budget ≤ 1.05, met: %s.\n", pairs, rate, middle, verdict(middle <= 1.05))
}

// writeBenchstat includes the table that benchstat made.
func writeBenchstat(page *strings.Builder, dir string) {
	page.WriteString("\n## All measurements\n")
	table, err := os.ReadFile(filepath.Join(dir, "benchstat.txt"))
	if err != nil || len(table) == 0 {
		page.WriteString("\nThe raw results are in results/raw.txt.\n")
		return
	}
	fmt.Fprintf(page, "\nThe raw results are in results/raw.txt; this is benchstat's table of them.\n\n```\n%s```\n", table)
}
