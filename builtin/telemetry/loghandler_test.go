package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

func jsonLines(t *testing.T, buf *bytes.Buffer) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(buf.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

// inSpan is a handler that logs everything within a span.
type inSpan struct{ slog.Handler }

func (h inSpan) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(outer(ctx, false), r)
}
func (h inSpan) WithAttrs(attrs []slog.Attr) slog.Handler { return inSpan{h.Handler.WithAttrs(attrs)} }
func (h inSpan) WithGroup(name string) slog.Handler       { return inSpan{h.Handler.WithGroup(name)} }

// TestLogHandlerKeepsTheRules holds the handler to the rules of slog, outside of
// spans and within.
func TestLogHandlerKeepsTheRules(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(slog.Handler) slog.Handler{
		"without a span": telemetry.LogHandler,
		"in a span":      func(h slog.Handler) slog.Handler { return inSpan{telemetry.LogHandler(h)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var buf bytes.Buffer
			if err := slogtest.TestHandler(wrap(slog.NewJSONHandler(&buf, nil)), func() []map[string]any { return jsonLines(t, &buf) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLogHandlerIDs checks that the ids are at the top level, whatever groups
// are open, and that all else is where it would be without them.
func TestLogHandlerIDs(t *testing.T) {
	t.Parallel()
	ids := []string{"trace_id", "span_id", "trace_flags"}
	for name, derive := range map[string]func(*slog.Logger) *slog.Logger{
		"plain":                   func(l *slog.Logger) *slog.Logger { return l },
		"attributes":              func(l *slog.Logger) *slog.Logger { return l.With("a", 1) },
		"group":                   func(l *slog.Logger) *slog.Logger { return l.WithGroup("g") },
		"attributes around":       func(l *slog.Logger) *slog.Logger { return l.With("a", 1).WithGroup("g").With("b", 2) },
		"groups in groups":        func(l *slog.Logger) *slog.Logger { return l.WithGroup("g").With("b", 2).WithGroup("h").With("c", 3) },
		"nothing but its name":    func(l *slog.Logger) *slog.Logger { return l.WithGroup("").With() },
		"one handler, two groups": func(l *slog.Logger) *slog.Logger { _ = l.WithGroup("g").With("x", 1); return l.WithGroup("g") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var buf, bare bytes.Buffer
			derive(slog.New(telemetry.LogHandler(slog.NewJSONHandler(&buf, nil)))).InfoContext(outer(t.Context(), false), "hi", "k", "v")
			derive(slog.New(slog.NewJSONHandler(&bare, nil))).InfoContext(t.Context(), "hi", "k", "v")
			got, want := jsonLines(t, &buf)[0], jsonLines(t, &bare)[0]
			for i, value := range []string{strings.Repeat("ab", 16), strings.Repeat("cd", 8), "01"} {
				if got[ids[i]] != value {
					t.Errorf("%s is %v at the top level, want %s", ids[i], got[ids[i]], value)
				}
				delete(got, ids[i])
			}
			delete(got, "time")
			delete(want, "time")
			a, _ := json.Marshal(got)
			b, _ := json.Marshal(want)
			if string(a) != string(b) {
				t.Errorf("the rest of the record is %s, want %s", a, b)
			}
		})
	}
}

// TestLogsLeadToTheSpan checks on every transport that the application's records
// and the call's own tell the span, each once.
func TestLogsLeadToTheSpan(t *testing.T) {
	t.Parallel()
	for _, inside := range []bool{true, false} {
		s := newSink(t)
		var buf bytes.Buffer
		logger := slog.New(telemetry.LogHandler(slog.NewJSONHandler(&buf, nil)))
		hooks := []interceptor.Hook{s.hook(telemetry.Continue), logging.New(logger)}
		if !inside {
			hooks[0], hooks[1] = hooks[1], hooks[0]
		}
		request := interceptortest.Request{Header: strange(), Handler: func(ctx context.Context) error {
			logger.InfoContext(ctx, "working")
			return nil
		}}
		interceptortest.Each(t, hooks, request, func(t *testing.T, _ interceptortest.Result) {
			span := s.span(t)
			text := buf.String()
			lines := jsonLines(t, &buf)
			buf.Reset()
			if len(lines) != 2 || strings.Count(text, "span_id") != 2 {
				t.Fatalf("records %s; want two with one span each", text)
			}
			for _, l := range lines {
				if l["trace_id"] != strangeTrace || l["span_id"] != span.SpanContext.SpanID().String() || l["trace_flags"] != "01" {
					t.Errorf("record %v, want the ids of span %v", l, span.SpanContext.SpanID())
				}
			}
		})
	}
}
