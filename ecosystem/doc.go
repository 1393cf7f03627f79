// Package ecosystem holds tests of crosscut beside libraries that only these
// tests need. It is a module of its own, so that they stay out of users' module
// graphs.
package ecosystem
