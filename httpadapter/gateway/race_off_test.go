//go:build !race

package gateway_test

// withRace tells that the race detector does not run.
const withRace = false
