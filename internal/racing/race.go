//go:build race

package racing

// Enabled tells that the race detector runs.
const Enabled = true
