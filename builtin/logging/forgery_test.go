package logging_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// forged is a line of somebody else's log, with colours for terminals, characters
// that show text backwards or not at all, and one beyond the basic plane.
const forged = "x\r\n{\"level\":\"info\",\"msg\":\"admin login ok\"}\x1b[31m\u202e\u2028\u200b\u0085\x00\U000e0041"

// handlers are the handlers of package slog.
var handlers = map[string]func(io.Writer) slog.Handler{
	"json": func(w io.Writer) slog.Handler {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
	},
	"text": func(w io.Writer) slog.Handler {
		return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
	},
}

// checkLines checks that a log has this many records, each one line, and nothing
// that a terminal would obey.
func checkLines(t *testing.T, handler, log string, records int) {
	t.Helper()
	if strings.ContainsAny(log, "\r\x1b\u202e\u2028\u200b\u0085\x00\x7f\U000e0041") {
		t.Errorf("%s: the log has raw control characters: %q", handler, log)
	}
	if n := strings.Count(log, "\n"); n != records {
		t.Errorf("%s: %d lines, want %d: %q", handler, n, records, log)
	}
	for line := range strings.Lines(log) {
		if handler == "text" && !strings.HasPrefix(line, "time=") {
			t.Errorf("the line %q is no record", line)
		}
		if handler == "json" && !json.Valid([]byte(line)) {
			t.Errorf("the line %q is no record", line)
		}
	}
}

type careless struct{}

func (*careless) Error() string { panic(forged) }

func TestForgedLinesStayOneField(t *testing.T) {
	t.Parallel()
	agent, failure := interceptor.NewKey[string]("agent"), interceptor.NewKey[error]("failure")
	inner := interceptor.FromFuncs("agent", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
			agent.Set(c, forged)
			failure.Set(c, errors.New(forged))
			logging.Add(ctx, slog.String("added", forged), slog.Any("error", errors.New(forged)), slog.Any("broken", new(careless)),
				slog.Group("group", slog.String("inside", forged)), slog.Any("message", &pb.Nested{Text: forged + "\xff"}))
			return ctx, nil
		},
	})
	for name, handler := range handlers {
		var j journal
		stack := interceptor.MustNew(logging.New(slog.New(handler(&j)), logging.Keys(agent, failure)), inner)
		exchange{wire: &wire{kind: driver.HTTP, path: "/" + forged + "\xff"}, refuse: errors.New(forged)}.run(t, stack)
		checkLines(t, name, j.text(), 1)
		if n := strings.Count(j.text(), "admin login ok"); n != 9 {
			t.Errorf("%s: the text is there %d times, want 9: %s", name, n, j.text())
		}
	}
}

// TestForgedMessagesStayOneField sends a forged line as a message over every
// transport, and the handler fails with it.
func TestForgedMessagesStayOneField(t *testing.T) {
	t.Parallel()
	request := interceptortest.Request{Message: forged, Handler: func(context.Context) error {
		return interceptor.NewError(codes.InvalidArgument, "cannot read "+forged)
	}}
	for name, handler := range handlers {
		var log strings.Builder // Each makes one call after the other
		hooks := []interceptor.Hook{logging.New(slog.New(handler(&log)), logging.Payloads(slog.LevelDebug))}
		interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
			records := 2 // the request and the call
			if strings.HasPrefix(got.Transport, "http/") {
				records = 1
			}
			checkLines(t, name, log.String(), records)
			log.Reset()
		})
	}
}

// TestPayloadsAreFaithful: what is escaped in a payload is read back as it was.
func TestPayloadsAreFaithful(t *testing.T) {
	t.Parallel()
	payload, _ := payloads(t, unary(), &pb.UnaryRequest{Text: forged})
	if m, ok := payload.(map[string]any); !ok || m["text"] != forged {
		t.Errorf("payload %q, want the text %q", payload, forged)
	}
}
