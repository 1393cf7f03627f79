package benchmarks_test

import "testing"

// measure runs call as often as it takes. Beside the usual figures it reports the
// CPU time of a call, by whichever goroutine, the garbage collector and the kernel
// included: on a machine that has other work to do it means more than the time that
// has passed. The first call is not counted, because some things are made by it.
func measure(b *testing.B, call func() error) {
	b.Helper()
	if err := call(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}
