//go:build race

package grpcadapter

// withRace tells that the race detector runs, which has pools forget things.
const withRace = true
