//go:build !race

package decision_test

// usual is how many cases there are unless a flag says otherwise.
const usual = 1_000_000
