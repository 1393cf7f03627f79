package logging_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// taking returns a handler that takes this long, in virtual time.
func taking(d time.Duration, err error) func(context.Context) (any, error) {
	return func(context.Context) (any, error) {
		time.Sleep(d)
		return nil, err
	}
}

func TestSlowCalls(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	stream := ops.NewMethod("/x.Y/Stream", nil, uint8(interceptor.ServerStream))
	route := ops.NewRoute("GET /x")
	toDebug := logging.Level(func(*interceptor.Call) slog.Level { return slog.LevelDebug })
	for _, tt := range []struct {
		name   string
		method *interceptor.Method
		parts  bool
		took   time.Duration
		err    error
		opts   []logging.Option
		level  string
		slow   any
	}{
		{name: "at the limit", method: unary(), took: limit, level: "INFO"},
		{name: "beyond it", method: unary(), took: limit + 1, level: "WARN", slow: true},
		{name: "a route", method: route, took: limit + 1, level: "WARN", slow: true},
		{name: "no limit", method: unary(), took: time.Hour, opts: []logging.Option{}, level: "INFO"},
		{name: "the last limit counts", method: unary(), took: limit + 1, opts: []logging.Option{logging.Slow(limit), logging.Slow(2 * limit)}, level: "INFO"},
		{name: "the caller's fault", method: unary(), took: limit + 1, err: interceptor.NewError(codes.NotFound, "no such book"), level: "WARN", slow: true},
		{name: "the server's fault", method: unary(), took: limit + 1, err: errors.New("boom"), level: "ERROR", slow: true},
		{name: "below by the level function", method: unary(), took: limit + 1, opts: []logging.Option{logging.Slow(limit), toDebug}, level: "WARN", slow: true},
		{name: "below by its code", method: unary(), took: limit + 1, opts: []logging.Option{logging.Slow(limit), logging.CodeLevel(slog.LevelDebug, codes.OK)}, level: "WARN", slow: true},
		{name: "sampled away if it were not slow", method: unary(), took: limit + 1, opts: []logging.Option{logging.Slow(limit), logging.Sample(1000)}, level: "WARN", slow: true},
		{name: "a stream", method: stream, took: time.Hour, level: "INFO"},
		{name: "server-sent events", method: route, parts: true, took: time.Hour, level: "INFO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.opts == nil {
				tt.opts = []logging.Option{logging.Slow(limit)}
			}
			synctest.Test(t, func(t *testing.T) {
				x := exchange{wire: &wire{kind: driver.HTTP, parts: tt.parts}, method: tt.method, handler: taking(tt.took, tt.err), status: 200}
				r := logged(t, x, tt.opts)
				check(t, r, map[string]any{"level": tt.level, "slow": tt.slow, "duration": float64(tt.took)})
			})
		})
	}
}

// TestSlowEverywhere checks that every transport judges its calls, and streams on
// none of them.
func TestSlowEverywhere(t *testing.T) {
	t.Parallel()
	var log strings.Builder                                                                             // Each makes one call after the other
	hooks := []interceptor.Hook{logging.New(slog.New(slog.NewTextHandler(&log, nil)), logging.Slow(1))} // a nanosecond
	interceptortest.Each(t, hooks, interceptortest.Request{}, func(t *testing.T, got interceptortest.Result) {
		record := log.String()
		log.Reset()
		want := !strings.Contains(got.Transport, "stream")
		if strings.Contains(record, "slow=true") != want || strings.Contains(record, "level=WARN") != want {
			t.Errorf("slow: want %v, got %s", want, record)
		}
	})
}

func TestCodeLevel(t *testing.T) {
	t.Parallel()
	chosen := []codes.Code{codes.PermissionDenied, codes.OK}
	opts := []logging.Option{
		logging.CodeLevel(slog.LevelError, codes.NotFound),
		logging.CodeLevel(slog.LevelWarn, chosen...),
		logging.CodeLevel(slog.LevelDebug, codes.NotFound, codes.Internal),
		logging.Level(func(*interceptor.Call) slog.Level { return slog.LevelError }),
	}
	chosen[0] = codes.Aborted // the slice is the caller's again
	for code, want := range map[codes.Code]string{
		codes.OK: "WARN", codes.PermissionDenied: "WARN", codes.NotFound: "DEBUG", codes.Internal: "DEBUG", codes.Aborted: "ERROR",
	} {
		var err error
		if code != codes.OK {
			err = interceptor.NewError(code, "text")
		}
		check(t, logged(t, exchange{method: unary(), handler: answer(&pb.UnaryResponse{}, err)}, opts), map[string]any{"level": want, "code": code.String()})
	}
}

// TestCodeLevelEverywhere checks that a code has its level on every transport.
func TestCodeLevelEverywhere(t *testing.T) {
	t.Parallel()
	var log strings.Builder // Each makes one call after the other
	hooks := []interceptor.Hook{logging.New(slog.New(slog.NewTextHandler(&log, nil)), logging.CodeLevel(slog.LevelWarn, codes.NotFound))}
	request := interceptortest.Request{Handler: func(context.Context) error { return interceptor.NewError(codes.NotFound, "no such book") }}
	interceptortest.Each(t, hooks, request, func(t *testing.T, _ interceptortest.Result) {
		record := log.String()
		log.Reset()
		if !strings.Contains(record, "level=WARN") || !strings.Contains(record, "code=NotFound") {
			t.Errorf("record %s; want it at the level of its code", record)
		}
	})
}

// TestOptionsConform holds the hook with every option to the rules of hooks.
func TestOptionsConform(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook {
		return logging.New(slog.New(slog.NewJSONHandler(io.Discard, nil)), logging.Payloads(slog.LevelInfo),
			logging.Slow(time.Second), logging.Sample(10), logging.CodeLevel(slog.LevelWarn, codes.NotFound))
	}, interceptortest.WithRequest(interceptortest.Request{Header: http.Header{"X-Request-Id": {"1"}}}))
}
