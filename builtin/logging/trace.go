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
	return append(attrs,
		slog.String("trace_id", hex.EncodeToString(s.TraceID[:])),
		slog.String("span_id", hex.EncodeToString(s.SpanID[:])),
		slog.String("trace_flags", hex.EncodeToString([]byte{s.Flags})))
}
