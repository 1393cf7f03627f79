package telemetry_test

import (
	"context"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
)

// The records of the program tell the span that runs in their context, at the
// top level whatever groups are open.
func ExampleLogHandler() {
	withoutTime := func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})
	logger := slog.New(telemetry.LogHandler(handler)).WithGroup("order")

	// In a program this is the context that a handler or hook receives.
	ctx := trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x0a, 0xf7}, SpanID: trace.SpanID{0xb7}, TraceFlags: trace.FlagsSampled,
	}))
	logger.InfoContext(ctx, "shipped", "id", 42)
	logger.InfoContext(context.Background(), "no span", "id", 43)

	// Output:
	// level=INFO msg=shipped trace_id=0af70000000000000000000000000000 span_id=b700000000000000 trace_flags=01 order.id=42
	// level=INFO msg="no span" order.id=43
}
