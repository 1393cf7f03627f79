// Package interceptortest is the conformance kit: it runs hooks on every
// transport, over real servers and clients, and compares what happened.
//
// [Each] sends one call through a list of hooks everywhere and hands what became
// of it to a check, so that one table tests a hook on all transports. [Run]
// checks the general rules that any hook has to keep. [NewCall], [NewMethod] and
// [RunPhases] are for unit tests without a server. The package's own tests hold
// the scenarios that every transport must satisfy.
package interceptortest
