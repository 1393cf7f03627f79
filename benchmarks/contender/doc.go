// Package contender has the same work built from several libraries, so that what
// they cost can be compared.
//
// The work W5 is five concerns: a request id is read and echoed, one line of JSON is
// written through slog, a panic becomes an internal error, a bearer token is looked
// up in a map, and a token bucket is asked. W6 is W5 with a server span and the
// duration histogram of OpenTelemetry's SDK, and the ids of the span in the line.
// Lines that are written by hand have the attributes of the line that this library's
// logging writes, except that of "chi", which has the usual ones of an access log.
// Whatever a library brings of these is
// taken from it; what it lacks is written as its users would.
package contender
