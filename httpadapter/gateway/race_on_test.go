//go:build race

package gateway_test

// withRace tells that the race detector runs, which has pools forget things.
const withRace = true
