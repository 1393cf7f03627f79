//go:build !race

package racing

// Enabled tells that the race detector does not run.
const Enabled = false
