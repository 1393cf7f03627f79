//go:build race

package hostile_test

// racing tells that the race detector, which makes everything slow, is on.
const racing = true
