//go:build !race

package logging_test

// withRace tells that the race detector does not run.
const withRace = false
