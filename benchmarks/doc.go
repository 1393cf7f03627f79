// Package benchmarks compares crosscut with the parts it replaces: the usual
// middleware libraries of gRPC and net/http, the ways of serving REST through
// grpc-gateway, and the same work written by hand as one function.
//
// The contenders are in package contender, the ways of calling them in package
// rig. A test proves that all contenders do the same work. It is a module of its
// own, so that no user of crosscut gets its rivals into their module graph.
//
//	make bench                        # at the root: everything, into RESULTS.md
//	make bench COUNT=3 TIME=20ms      # a quick look
//
// What is called "direct" calls the generated handler or ServeHTTP without a
// socket, where the cost of what is installed is not hidden by the transport. What
// is called "loopback" includes the client, which shares the process: it tells what
// a deployment would notice. Nothing here measures a network or a disk.
package benchmarks
