// Package authz decides what callers may do, as the policy of each method says.
package authz
