package logging

import (
	"encoding/hex"
	"log/slog"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tracekey"
)

// appendTrace adds the ids of the call's span, under the names that
// OpenTelemetry gives them in logs ("Trace Context in non-OTLP Log Formats").
func appendTrace(attrs []slog.Attr, call *interceptor.Call) []slog.Attr {
	s, ok := tracekey.Key.Get(call)
	if !ok {
		return attrs
	}
	const trace, span = 2 * len(s.TraceID), 2 * (len(s.TraceID) + len(s.SpanID))
	var digits [span + 2]byte
	hex.Encode(digits[:], s.TraceID[:])
	hex.Encode(digits[trace:], s.SpanID[:])
	hex.Encode(digits[span:], []byte{s.Flags})
	text := string(digits[:]) // one allocation for the three
	return append(attrs, slog.String("trace_id", text[:trace]), slog.String("span_id", text[trace:span]), slog.String("trace_flags", text[span:]))
}
