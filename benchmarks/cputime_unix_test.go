//go:build unix

package benchmarks_test

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used of its CPUs, the kernel's part included.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
