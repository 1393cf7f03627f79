package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const raw = `goos: linux
BenchmarkRPCDirect/bare-2 	100	 100 ns/op	 8 B/op	 2 allocs/op
BenchmarkRPCDirect/crosscut/W5-2 	100	 300 ns/op	 8 B/op	 10 allocs/op
BenchmarkRPCDirect/crosscut/W5-2 	100	 500 ns/op	 8 B/op	 10 allocs/op
BenchmarkRPCDirect/crosscut/W5-2 	100	 9000 ns/op	 8 B/op	 10 allocs/op
BenchmarkRPCDirect/go-grpc-middleware/W5-2 	100	 2100 ns/op	 8 B/op	 40 allocs/op
BenchmarkHooks/grpc/0-2 100 100 ns/op 1 allocs/op
BenchmarkHooks/grpc/1-2 100 110 ns/op 1 allocs/op
BenchmarkHooks/grpc/2-2 100 120 ns/op 1 allocs/op
BenchmarkHooks/grpc/2-2 100 700 ns/op 1 allocs/op
PASS
`

func parsed(t *testing.T) *results {
	t.Helper()
	file := filepath.Join(t.TempDir(), "raw.txt")
	if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestJudge: medians, what is added, and what is not measured is not met.
func TestJudge(t *testing.T) {
	t.Parallel()
	r := parsed(t)
	for _, test := range []struct {
		name          string
		limits        []limit
		measured, met string
	}{
		{"within", all(ratio(0.2), allocations(8)), "0.20 × (400 ns of 2.00 µs), 8 allocs", "yes"},
		{"too slow", all(ratio(0.19)), "0.20 × (400 ns of 2.00 µs)", "**no**"},
		{"too many allocations", all(allocations(7)), "8 allocs", "**no**"},
		{"by message", all(each(10, time(40))), "40 ns", "yes"},
		{"not measured", all(memory(1)), "not measured", "**no**"},
	} {
		_, measured, met := row{ours: direct("crosscut/W5"), theirs: direct("go-grpc-middleware/W5"), limits: test.limits}.judge(r)
		if measured != test.measured || met != test.met {
			t.Errorf("%s: %q, %s; want %q, %s", test.name, measured, met, test.measured, test.met)
		}
	}
}

// TestNoise: what seems to add less than nothing meets no ratio.
func TestNoise(t *testing.T) {
	t.Parallel()
	slower := path{"RPCDirect/bare", "RPCDirect/crosscut/W5"}
	for _, row := range []row{
		{ours: slower, theirs: direct("go-grpc-middleware/W5"), limits: all(ratio(1))},
		{ours: direct("crosscut/W5"), theirs: slower, limits: all(ratio(1))},
	} {
		if _, measured, met := row.judge(parsed(t)); met != "**no**" {
			t.Errorf("%s is %s, want no", measured, met)
		}
	}
}

// TestRowsNameBenchmarks: a budget whose benchmark was renamed would never be met.
func TestRowsNameBenchmarks(t *testing.T) {
	t.Parallel()
	r, err := read(filepath.Join("..", "..", "results", "raw.txt"), filepath.Join("..", "..", "results", "idle.txt"))
	if err != nil {
		t.Fatal("the results are committed, so that this can be checked; run make bench: ", err)
	}
	for _, row := range rows {
		for _, name := range []string{row.ours.name, row.ours.base, row.theirs.name, row.theirs.base} {
			if name != "" && r.values[name] == nil {
				t.Errorf("%s: no benchmark is named %s", row.what, name)
			}
		}
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	slope, at0, r2 := fit(parsed(t).points("Hooks/grpc", least))
	if math.Abs(slope-10) > 1e-9 || math.Abs(at0-100) > 1e-9 || math.Abs(r2-1) > 1e-9 {
		t.Errorf("the line is %v + %v x with r² %v, want 100 + 10 x with 1", at0, slope, r2)
	}
}

// TestPlots: the plots are well-formed and have every name.
func TestPlots(t *testing.T) {
	t.Parallel()
	lines := plotLines("title", "x", "y", []series{{"grpc <1>", parsed(t).points("Hooks/grpc", least)}})
	bars := plotBars("title", "µs", []bar{{"crosscut/W6", 12}, {"other", 30}})
	for svg, names := range map[string][]string{lines: {"grpc &lt;1&gt;: 10.0 ns a hook, r² = 1.000"}, bars: {"crosscut/W6", "other", "30.0 µs"}} {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range names {
			if !strings.Contains(svg, name) {
				t.Errorf("the plot lacks %q", name)
			}
		}
	}
}
