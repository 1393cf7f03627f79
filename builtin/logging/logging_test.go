package logging_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

func answer(resp any, err error) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return resp, err }
}

// check compares the attributes of a record; nil means that there is none.
func check(t *testing.T, record, want map[string]any) {
	t.Helper()
	for key, value := range want {
		if n, ok := value.(int); ok {
			value = float64(n) // as encoding/json reads numbers
		}
		if record[key] != value {
			t.Errorf("%s is %#v, want %#v", key, record[key], value)
		}
	}
}

func TestRecordOfAnRPC(t *testing.T) {
	t.Parallel()
	r := logged(t, exchange{
		wire:    &wire{kind: driver.GRPC, path: "/raw", remote: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}},
		method:  unary(),
		request: &pb.UnaryRequest{Text: "hello"},
		handler: answer(&pb.UnaryResponse{Text: "x"}, nil),
	}, nil)
	check(t, r, map[string]any{
		"level": "INFO", "method": "/crosscut.conformance.v1.ConformanceService/Unary", "transport": "grpc",
		"code": "OK", "received": 1, "sent": 1, "received_bytes": 7, "sent_bytes": 10, "peer": "192.0.2.7:4711",
		"http_status": nil, "http_method": nil, "path": nil, "error": nil, "denied": nil, "request_id": nil, "principal": nil,
	})
	if d, ok := r["duration"].(float64); !ok || d <= 0 {
		t.Errorf("duration is %v, want a positive number", r["duration"])
	}
}

func TestRecordOfARoute(t *testing.T) {
	t.Parallel()
	r := logged(t, exchange{
		wire:   &wire{kind: driver.HTTP, method: "GET", path: "/files/secret-name"},
		method: ops.NewRoute("GET /files/{name}"),
		route:  "/files/{name}",
		status: 200,
	}, nil)
	check(t, r, map[string]any{
		"method": "GET /files/{name}", "transport": "http", "http_method": "GET", "http_status": 200, "code": "OK",
		"received": nil, "sent": nil, "path": nil, "route": "/files/{name}",
	})
}

func TestPeerAddresses(t *testing.T) {
	t.Parallel()
	for want, addr := range map[string]net.Addr{
		"192.0.2.7:80":          &net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.7"), Port: 80},
		"[2001:db8::1%eth0]:80": &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Zone: "eth0", Port: 80},
		":80":                   &net.TCPAddr{Port: 80},
		"/run/app.sock":         &net.UnixAddr{Net: "unix", Name: "/run/app.sock"},
	} {
		r := logged(t, exchange{wire: &wire{kind: driver.GRPC, remote: addr}, method: unary()}, nil)
		check(t, r, map[string]any{"peer": want})
	}
}

func TestRecordNamesIDAndCaller(t *testing.T) {
	t.Parallel()
	var j journal
	stack := interceptor.MustNew(requestid.New(), logging.New(j.logger(slog.LevelInfo)),
		authn.New(authn.Bearer(authn.StaticTokens(map[string]string{"good-token": "alice"}))))
	x := exchange{wire: &wire{kind: driver.GRPC, header: map[string]string{
		"x-request-id": "id-1", "authorization": "Bearer good-token"}}, method: unary()}
	x.run(t, stack)
	x.wire.header = map[string]string{"x-request-id": "id-2", "authorization": "Bearer stolen-token"}
	x.run(t, stack)
	records := j.records(t)
	check(t, records[0], map[string]any{"request_id": "id-1", "principal": "alice", "code": "OK", "denied": nil})
	check(t, records[1], map[string]any{"request_id": "id-2", "principal": nil, "code": "Unauthenticated", "denied": true, "level": "INFO"})
	if text, _ := records[1]["error"].(string); !strings.Contains(text, "not one of those given to StaticTokens") {
		t.Errorf("error %q; want the reason for operators", text)
	}
	if text := j.text(); strings.Contains(text, "good-token") || strings.Contains(text, "stolen-token") {
		t.Errorf("the log has a credential: %s", text)
	}
}

func TestRecordOfAnUnknownMethod(t *testing.T) {
	t.Parallel()
	path := "/no/such/" + strings.Repeat("x", 10_000)
	r := logged(t, exchange{
		wire: &wire{kind: driver.HTTP, method: "AAAA\x1b[31m", path: path}, refuse: interceptor.NewError(codes.NotFound, "not found"), status: 404,
	}, nil)
	check(t, r, map[string]any{"method": "unknown", "http_method": "_OTHER", "http_status": 404, "code": "NotFound", "level": "INFO"})
	if got, _ := r["path"].(string); !strings.HasPrefix(path, strings.TrimSuffix(got, "…")) || len(got) < 100 || len(got) > 300 {
		t.Errorf("path is %q (%d bytes), want the beginning of it", got, len(got))
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	want := map[codes.Code]string{
		codes.OK: "INFO", codes.Canceled: "INFO", codes.Unknown: "ERROR", codes.InvalidArgument: "INFO",
		codes.DeadlineExceeded: "WARN", codes.NotFound: "INFO", codes.AlreadyExists: "INFO", codes.PermissionDenied: "INFO",
		codes.ResourceExhausted: "INFO", codes.FailedPrecondition: "INFO", codes.Aborted: "INFO", codes.OutOfRange: "INFO",
		codes.Unimplemented: "INFO", codes.Internal: "ERROR", codes.Unavailable: "WARN", codes.DataLoss: "ERROR",
		codes.Unauthenticated: "INFO",
	}
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		var err error
		if code != codes.OK {
			err = interceptor.NewError(code, "text")
		}
		r := logged(t, exchange{method: unary(), handler: answer(&pb.UnaryResponse{}, err)}, nil)
		check(t, r, map[string]any{"level": want[code], "code": code.String()})
	}
}

func TestLevelOption(t *testing.T) {
	t.Parallel()
	x := exchange{method: unary(), handler: answer(nil, errors.New("boom"))}
	debug := logging.Level(func(c *interceptor.Call) slog.Level {
		if c.Code() == codes.Unknown {
			return slog.LevelDebug
		}
		return logging.DefaultLevel(c)
	})
	check(t, logged(t, x, []logging.Option{debug}), map[string]any{"level": "DEBUG"})
	check(t, logged(t, x, []logging.Option{debug, logging.Level(nil)}), map[string]any{"level": "ERROR"})

	var j journal
	x.run(t, interceptor.MustNew(logging.New(j.logger(slog.LevelInfo), debug)))
	if j.text() != "" {
		t.Errorf("a record below the handler's level was written: %s", j.text())
	}
}

func TestErrorTextIsForOperators(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp 10.1.2.3:5432: password authentication failed")
	err := interceptor.NewError(codes.Unavailable, "try again later", interceptor.WithCause(cause))
	r := logged(t, exchange{method: ops.NewRoute("GET /x"), handler: answer(nil, err)}, nil)
	if text, _ := r["error"].(string); !strings.Contains(text, cause.Error()) {
		t.Errorf("error %q; want the cause in it", text)
	}
	r = logged(t, exchange{method: ops.NewRoute("GET /x"), handler: answer(nil, errors.New(strings.Repeat("long ", 100_000)))}, nil)
	if text, _ := r["error"].(string); len(text) < 1000 || len(text) > 5000 {
		t.Errorf("the error has %d bytes, want it cut", len(text))
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	tenant, shards, unset := interceptor.NewKey[string]("tenant"), interceptor.NewKey[[]int]("shards"), interceptor.NewKey[string]("unset")
	inner := interceptor.FromFuncs("tenant", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			tenant.Set(c, "acme\n"+strings.Repeat("x", 5000))
			shards.Set(c, []int{1, 2})
			return ctx, nil
		},
	})
	r := logged(t, exchange{method: ops.NewRoute("GET /x")}, []logging.Option{logging.Keys(tenant), logging.Keys(unset, shards)}, inner)
	if got, _ := r["tenant"].(string); !strings.HasPrefix(got, "acme\nxxx") || len(got) > 1100 {
		t.Errorf("tenant is %.40q (%d bytes), want its beginning", got, len(got))
	}
	if got, ok := r["shards"].([]any); !ok || len(got) != 2 {
		t.Errorf("shards is %v, want [1 2]", r["shards"])
	}
	if _, ok := r["unset"]; ok {
		t.Error("a key without a value is in the record")
	}
}

func TestLoggingIsQuietWhereItIsDisabled(t *testing.T) {
	t.Parallel()
	var j journal
	hook := logging.New(j.logger(slog.LevelError), logging.Payloads(slog.LevelInfo))
	exchange{method: unary(), request: &pb.UnaryRequest{}, handler: answer(&pb.UnaryResponse{}, nil)}.run(t, interceptor.MustNew(hook))
	if j.text() != "" {
		t.Errorf("records below the handler's level were written: %s", j.text())
	}
}

func TestHookFacts(t *testing.T) {
	t.Parallel()
	h := logging.New(slog.Default())
	if n, ok := h.(interceptor.Named); !ok || n.Name() != "logging" {
		t.Error("the hook's name is not logging")
	}
	if _, ok := h.(interceptor.MessageHook); ok {
		t.Error("the hook sees messages without Payloads")
	}
	if _, ok := logging.New(slog.Default(), logging.Payloads(nil)).(interceptor.MessageHook); ok {
		t.Error("the hook sees messages with Payloads(nil)")
	}
	if _, ok := logging.New(slog.Default(), logging.Payloads(slog.LevelDebug)).(interceptor.MessageHook); !ok {
		t.Error("the hook does not see messages with Payloads")
	}
}

func TestConstructionPanics(t *testing.T) {
	t.Parallel()
	key := interceptor.NewKey[string]("tenant")
	tests := []struct {
		name, want string
		make       func()
	}{
		{"no logger", "logging.New(nil)", func() { logging.New(nil) }},
		{"nil key", "key 2 is nil", func() { logging.New(slog.Default(), logging.Keys(key, nil)) }},
		{"no codes", "logging.CodeLevel: no code", func() { logging.CodeLevel(slog.LevelWarn) }},
		{"no limit", "logging.Slow(0s)", func() { logging.Slow(0) }},
		{"sample of none", "logging.Sample(0)", func() { logging.Sample(0) }},
		{"key twice", `"tenant" is listed twice`, func() { logging.New(slog.Default(), logging.Keys(key), logging.Keys(key)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, tt.want) {
					t.Errorf("panicked with %q; want a text with %s", text, tt.want)
				}
			}()
			tt.make()
		})
	}
}

func TestAllocations(t *testing.T) {
	method := unary()
	w := &wire{kind: driver.GRPC, remote: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}}
	run := func(hooks ...interceptor.Hook) float64 {
		stack := interceptor.MustNew(hooks...)
		return testing.AllocsPerRun(1000, func() {
			c := new(interceptor.Call)
			ops.Begin(c, stack, t.Context(), w)
			ops.Request(c)
			ops.Resolve(c, method, "")
			ops.End(c, 0)
		})
	}
	bare := run()
	if n := run(logging.New(slog.New(drop{}))) - bare; n > 3 { // two, and one more where the race detector keeps code from being inlined
		t.Errorf("a record takes %v allocations, want two", n)
	}
	disabled := slog.New(slog.NewJSONHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: slog.LevelError}))
	if n := run(logging.New(disabled)) - bare; n > 0 {
		t.Errorf("no record takes %v allocations, want none", n)
	}
}

// drop is a handler that takes every record and allocates nothing. The handlers of
// slog use pools, whose allocations differ from run to run under the race detector.
type drop struct{}

func (drop) Enabled(context.Context, slog.Level) bool  { return true }
func (drop) Handle(context.Context, slog.Record) error { return nil }
func (d drop) WithAttrs([]slog.Attr) slog.Handler      { return d }
func (d drop) WithGroup(string) slog.Handler           { return d }
