// Package requestid gives every call an id that its client, its log records and
// its handler share.
//
// The hook made by [New] takes the id that the client sent in X-Request-Id if it
// is a sane one, and makes one otherwise. The id goes into the call under [Key],
// where logs, other hooks and handlers find it, and into the response header of
// the same name, on success and on error, over gRPC (as metadata), REST and
// net/http alike.
//
// # What counts as a sane id
//
// One value of at most [MaxLen] bytes, which begins with a letter or a digit and
// goes on with letters, digits and any of - _ . : = + ~. Anything else, a second
// value included, is ignored as if the client had sent none: such an id cannot
// break a log line, a header, a file name or a shell word. An id that passed is
// still chosen by the client. It correlates, and proves nothing: two calls may
// carry the same one. Use [IgnoreInbound] where clients are strangers and ids
// must be unique.
//
// # Order
//
// List it first. Hooks outside of it have no id in their BeforeRequest, and calls
// that they reject there carry none.
//
// # Cost and limits
//
// Reading, keeping and echoing an id take two to four small allocations per call,
// and making one adds a read of the system's random source. Calls that never
// reach a hook, such as those that grpc-go itself answers for a malformed method
// name, have no id.
package requestid
