// Package policy makes the policy that is written in .proto files, and in Go for what
// has none, the effective policy of every method of a stack.
package policy
