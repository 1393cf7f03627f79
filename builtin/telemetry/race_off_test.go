//go:build !race

package telemetry_test

// withRace tells that the race detector does not run.
const withRace = false
