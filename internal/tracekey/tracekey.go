// Package tracekey is where the hook that traces calls leaves the ids of a call's
// span for the hook that logs calls, so that neither has to import the other, or
// a tracing library.
package tracekey

import "github.com/crosscut-go/crosscut/interceptor"

// Span identifies the span of a call, as W3C Trace Context does. The zero ids
// are invalid there and mean that there is no span.
type Span struct {
	TraceID [16]byte
	SpanID  [8]byte
	Flags   byte // 1 if the span is sampled
}

// Key holds the span of a call from the moment its tracing hook's BeforeRequest
// has run. The value does not change after it was set.
var Key = interceptor.NewKey[*Span]("trace")
