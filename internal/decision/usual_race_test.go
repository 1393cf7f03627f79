//go:build race

package decision_test

// usual is smaller under the race detector, which looks for something else and is ten times slower.
const usual = 50_000
