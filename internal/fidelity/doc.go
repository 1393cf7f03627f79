// Package fidelity holds the tests that a server inside a stack behaves, on the
// wire and in its handlers, as it did without one.
//
// Every case is one conversation: bytes on a connection for HTTP/1.1, frames for
// HTTP/2 and gRPC, or a real client where only its reading of the wire matters. It
// is held with a bare server, and with the same server wrapped in every way and in
// stacks without hooks, with hooks that do nothing, and as users run them. What
// the client saw and what the handlers noted must be equal, line by line.
//
// What differs on purpose stands in deliberate_test.go, each with its reason and
// with what the two sides say; an entry that no longer holds fails as well. What
// is left is the report, and it must be empty.
package fidelity
