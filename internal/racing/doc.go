// Package racing tells tests whether the race detector runs. It allocates, has pools
// forget what they are given, and makes everything many times slower, so tests skip
// exact counts and repeat less under it. What ships must behave the same either way:
// only tests import this package.
package racing
