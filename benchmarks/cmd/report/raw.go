package main

import (
	"bufio"
	"cmp"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// results are measurements by name and unit, in the order in which they were made.
type results struct {
	values map[string]map[string][]float64
	names  []string
}

// procs is what Go appends to the name of a benchmark.
var procs = regexp.MustCompile(`-\d+$`)

// read parses the output of benchmarks.
func read(files ...string) (*results, error) {
	r := &results{values: map[string]map[string][]float64{}}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			r.add(lines.Text())
		}
		_ = f.Close()
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// add takes a line such as "BenchmarkX/y-2 100 12.5 ns/op 3 allocs/op", and ignores
// any other.
func (r *results) add(line string) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	name := procs.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
	for i := 2; i+1 < len(fields); i += 2 {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return
		}
		if r.values[name] == nil {
			r.values[name], r.names = map[string][]float64{}, append(r.names, name)
		}
		r.values[name][fields[i+1]] = append(r.values[name][fields[i+1]], v)
	}
}

// reading is what is read of the measurements of all rounds.
type reading struct {
	unit string
	of   func([]float64) float64
}

// Times are read as benchstat does, and in two ways that mean more on a machine with
// other work: that adds nothing to the CPU time of a process, and only ever adds to
// the time that has passed.
var (
	usual = reading{ns, median}
	byCPU = reading{cpuNs, median}
	least = reading{ns, slices.Min[[]float64]}
)

// value returns a measurement, and false if there is none.
func (r *results) value(name string, by reading) (float64, bool) {
	values := r.values[name][by.unit]
	if len(values) == 0 {
		return 0, false
	}
	return by.of(values), true
}

// added returns what a path adds.
func (r *results) added(p path, by reading) (float64, bool) {
	v, ok := r.value(p.name, by)
	if p.base == "" || !ok {
		return v, ok
	}
	base, ok := r.value(p.base, by)
	return v - base, ok
}

func median(values []float64) float64 {
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare[float64])
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// point is a cost at a number of something.
type point struct{ x, y float64 }

// points returns the measurements of the benchmarks name/x, by x.
func (r *results) points(name string, by reading) []point {
	var list []point
	for _, n := range r.names {
		if rest, ok := strings.CutPrefix(n, name+"/"); ok {
			if x, err := strconv.ParseFloat(rest, 64); err == nil {
				y, _ := r.value(n, by)
				list = append(list, point{x, y})
			}
		}
	}
	slices.SortFunc(list, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return list
}

// fit returns the line of least squares through points, and how well it fits.
func fit(points []point) (slope, at0, r2 float64) {
	n := float64(len(points))
	var mx, my, sxy, sxx, syy float64
	for _, p := range points {
		mx, my = mx+p.x/n, my+p.y/n
	}
	for _, p := range points {
		dx, dy := p.x-mx, p.y-my
		sxy, sxx, syy = sxy+dx*dy, sxx+dx*dx, syy+dy*dy
	}
	if sxx == 0 || syy == 0 {
		return 0, my, 0
	}
	slope = sxy / sxx
	return slope, my - slope*mx, sxy * sxy / (sxx * syy)
}
