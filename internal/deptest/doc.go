// Package deptest keeps the boundaries between the packages of this module. It has tests only: they fail when a package
// imports what its rule forbids, when a rule names a package that is gone, and when a package has no package comment.
package deptest
