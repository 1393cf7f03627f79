// Package interceptortest is the conformance kit: it runs hooks on every
// transport, over real servers and clients, and compares what happened.
//
//   - [Each] sends one [Request] through a list of hooks on each of [Transports] and
//     hands over the [Result]: what the client got, which phases ran, whether the
//     handler was reached. It is for what a hook does.
//   - [Run] checks the general rules that every hook has to keep. One line of it
//     belongs into the tests of every hook.
//   - [NewCall], [NewMethod] and [RunPhases] make calls without a server, for unit
//     tests of single phases.
//
// The package's own tests hold the scenarios that every transport must satisfy.
//
// # What is called
//
// Every call has a server and a client of its own, on loopback sockets or, for
// in-process calls, without. They serve
// crosscut.conformance.v1.ConformanceService, which has a method of every kind, and
// a plain route. The handler answers with the text it received; every side that
// could stream has one message. What a hook sees as the method is therefore not
// that of the program it is made for: hooks that tell methods apart are tested
// with [NewMethod], or with the names of the kit.
//
// # Where transports differ
//
// Phases and outcomes are the same everywhere, except that plain routes have no
// messages, that the messages of a stream flow inside WrapHandler, and that with
// grpcadapter.ServerOptions alone the request of a unary call has been decoded
// before any hook runs. What exists only on some transports (an HTTP status, the
// address of a peer) can be told by [Result.Transport] or the facts of
// [Result.Call].
package interceptortest
