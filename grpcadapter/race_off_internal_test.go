//go:build !race

package grpcadapter

// withRace tells that the race detector does not run.
const withRace = false
