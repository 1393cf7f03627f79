package telemetry

import (
	"context"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

// The keys of a span's ids in log records, as "Trace Context in non-OTLP Log
// Formats" of OpenTelemetry has them.
const (
	logTraceID = "trace_id"
	logSpanID  = "span_id"
	logFlags   = "trace_flags"
)

// LogHandler returns a handler that adds trace_id, span_id and trace_flags to the
// records that are logged with a context in which a span runs, such as that of a
// handler or hook, and hands them to next. They are at the top level of the
// record, outside of the groups that the logger has opened. Only the methods of
// slog.Logger that take a context, such as InfoContext, carry one.
//
// A record that has a trace_id already, as those of package logging do, is left
// alone. Do not put LogHandler around the bridge to OpenTelemetry's own logs,
// which adds the ids itself.
//
// It panics for a nil handler.
func LogHandler(next slog.Handler) slog.Handler {
	if next == nil {
		panic("telemetry.LogHandler(nil): pass the handler that writes the records")
	}
	return &logHandler{whole: next, top: next}
}

// logHandler keeps two views of what was given to WithGroup and WithAttrs. A
// handler within a group can add nothing outside of it, so in a span the groups
// become attributes of the record.
type logHandler struct {
	whole slog.Handler // with all groups and attributes
	top   slog.Handler // with those from before the first group
	open  []group      // the groups since, outermost first
}

type group struct {
	name  string
	attrs []slog.Attr
}

// Enabled asks the handler inside.
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.whole.Enabled(ctx, level)
}

// Handle adds the ids of the span in ctx.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() || hasTraceID(r) {
		return h.whole.Handle(ctx, r)
	}
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	out.AddAttrs(
		slog.String(logTraceID, sc.TraceID().String()),
		slog.String(logSpanID, sc.SpanID().String()),
		slog.String(logFlags, sc.TraceFlags().String()),
	)
	if len(h.open) == 0 {
		r.Attrs(func(a slog.Attr) bool {
			out.AddAttrs(a)
			return true
		})
	} else {
		out.AddAttrs(h.nested(r))
	}
	return h.top.Handle(ctx, out)
}

func hasTraceID(r slog.Record) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == logTraceID
		return !found
	})
	return found
}

// nested returns the attributes of r inside of the open groups.
func (h *logHandler) nested(r slog.Record) slog.Attr {
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for _, g := range slices.Backward(h.open) {
		inner := slices.Concat(g.attrs, attrs)
		attrs = []slog.Attr{{Key: g.name, Value: slog.GroupValue(inner...)}}
	}
	return attrs[0]
}

// WithAttrs returns a handler whose records have attrs as well.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	next := &logHandler{whole: h.whole.WithAttrs(attrs), top: h.top, open: slices.Clone(h.open)}
	if len(h.open) == 0 {
		next.top = next.whole
		return next
	}
	last := &next.open[len(next.open)-1]
	last.attrs = slices.Concat(last.attrs, attrs)
	return next
}

// WithGroup returns a handler that puts what is added from now on into a group.
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	open := append(slices.Clip(h.open), group{name: name})
	return &logHandler{whole: h.whole.WithGroup(name), top: h.top, open: open}
}
