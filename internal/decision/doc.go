// Package decision is a second opinion about access: a small model of who may call what, made from the description of
// the policies and not from the code that enforces them. It imports the standard library alone.
//
// The tests of this package generate policies, as descriptors and as declarations in Go, and credentials of every
// shape; they send them through the real hooks on every transport and compare each answer with that of the model.
// They also plant bugs, one at a time, and fail for each that is not noticed.
//
//   - [Policy] is everything that is declared about one method, [Demand] what that comes to.
//   - [Expr] is a condition, in a grammar small enough to be evaluated here as well.
//   - [Sent] is what a caller sends to be recognised, described and not spelled.
//   - [Decide] is the decision, with the reason.
//   - [Generator] makes all of these from a seed, and [Case.Simpler] makes a failing case smaller.
package decision
