package logging_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// sampled makes calls of one method with these hooks around a handler, and returns
// their records.
func sampled(t *testing.T, calls int, x exchange, opts []logging.Option, inner ...interceptor.Hook) []map[string]any {
	t.Helper()
	var j journal
	stack := interceptor.MustNew(append([]interceptor.Hook{logging.New(j.logger(slog.LevelDebug), opts...)}, inner...)...).ReportTo(nil)
	for range calls {
		x.run(t, stack)
	}
	return j.records(t)
}

// refuser refuses every call, and decides by doing so.
type refuser struct{ interceptor.Base }

func (refuser) Decides() {}

func (refuser) BeforeHandler(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
	return nil, interceptor.NewError(codes.PermissionDenied, "not you")
}

// redirector sends every caller to the login page: a refusal that is a success by
// its code.
type redirector struct{ interceptor.Base }

func (redirector) Decides() {}

func (redirector) BeforeHandler(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
	return ctx, errors.Join(call.ResponseHeader().Set("Location", "/login"), call.ReplyHTTP(303, "", nil))
}

func TestSample(t *testing.T) {
	t.Parallel()
	ten := []logging.Option{logging.Sample(10)}
	with := func(opts ...logging.Option) []logging.Option { return append(ten, opts...) }
	success := exchange{method: unary()}
	failure := exchange{method: unary(), handler: answer(nil, interceptor.NewError(codes.NotFound, "no such book"))}
	for _, tt := range []struct {
		name  string
		x     exchange
		opts  []logging.Option
		inner []interceptor.Hook
		want  int // of 25
	}{
		{"successes", success, ten, nil, 3},
		{"all of them", success, []logging.Option{logging.Sample(1)}, nil, 25},
		{"the last one counts", success, with(logging.Sample(1)), nil, 25},
		{"no method", exchange{refuse: interceptor.NewError(codes.Unimplemented, "unknown")}, ten, nil, 25},
		{"failures", failure, ten, nil, 25},
		{"failures at a low level", failure, with(logging.CodeLevel(slog.LevelDebug, codes.NotFound)), nil, 25},
		{"panics", exchange{method: unary(), handler: func(context.Context) (any, error) { return nil, errors.New("boom") }}, ten, nil, 25},
		{"refusals", success, ten, []interceptor.Hook{interceptor.As("refuser", refuser{})}, 25},
		{"redirects to a login", exchange{wire: &wire{kind: driver.HTTP}, method: ops.NewRoute("GET /x"), status: 303}, ten, []interceptor.Hook{interceptor.As("redirector", redirector{})}, 25},
		{"a level above info", success, with(logging.CodeLevel(slog.LevelInfo+1, codes.OK)), nil, 25},
		{"a level below info", success, with(logging.CodeLevel(slog.LevelDebug, codes.OK)), nil, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			records := sampled(t, 25, tt.x, tt.opts, tt.inner...)
			if len(records) != tt.want {
				t.Errorf("%d records of 25 calls, want %d", len(records), tt.want)
			}
			for _, r := range records {
				rate := any(nil)
				if tt.want < 25 {
					rate = 10
				}
				check(t, r, map[string]any{"sample_rate": rate})
			}
		})
	}
}

// TestSampleCountsPerMethod: a method that is called once is on record beside one
// that is called all the time, and every n-th call is, whichever else is made.
func TestSampleCountsPerMethod(t *testing.T) {
	t.Parallel()
	var j journal
	stack := interceptor.MustNew(logging.New(j.logger(slog.LevelInfo), logging.Sample(2)))
	often, rarely := ops.NewRoute("GET /often"), ops.NewRoute("GET /rarely")
	for i := range 6 {
		exchange{method: often}.run(t, stack)
		if i%2 == 1 {
			exchange{method: rarely}.run(t, stack)
		}
	}
	count := map[any]int{}
	for _, r := range j.records(t) {
		count[r["method"]]++
	}
	if count["GET /often"] != 3 || count["GET /rarely"] != 2 {
		t.Errorf("records %v; want 3 of 6 and 2 of 3", count)
	}
}

// TestSampleCountsExactly: however many calls end at the same time.
func TestSampleCountsExactly(t *testing.T) {
	t.Parallel()
	var j journal
	stack := interceptor.MustNew(logging.New(j.logger(slog.LevelInfo), logging.Sample(7)))
	method := unary()
	var wg sync.WaitGroup
	for range 70 {
		wg.Go(func() { exchange{method: method}.run(t, stack) })
	}
	wg.Wait()
	if n := len(j.records(t)); n != 10 {
		t.Errorf("%d records of 70 calls, want 10", n)
	}
}

// TestSampleDoesNotGoByTheClient: what a client sends does not choose which of its
// calls leave no record.
func TestSampleDoesNotGoByTheClient(t *testing.T) {
	t.Parallel()
	var j journal
	stack := interceptor.MustNew(logging.New(j.logger(slog.LevelInfo), logging.Sample(4)))
	method := unary()
	for i := range 16 {
		id := fmt.Sprint("chosen-", i%3)
		exchange{method: method, wire: &wire{header: map[string]string{"x-request-id": id, "traceparent": id}}}.run(t, stack)
	}
	if n := len(j.records(t)); n != 4 {
		t.Errorf("%d records of 16 calls, want 4", n)
	}
}

// TestSampleEverywhere checks on every transport that the first success is on
// record with its rate, and that failures have none.
func TestSampleEverywhere(t *testing.T) {
	t.Parallel()
	for want, handler := range map[string]func(context.Context) error{
		"code=OK":       nil,
		"code=NotFound": func(context.Context) error { return interceptor.NewError(codes.NotFound, "no such book") },
	} {
		var log strings.Builder // Each makes one call after the other
		hooks := []interceptor.Hook{logging.New(slog.New(slog.NewTextHandler(&log, nil)), logging.Sample(1000))}
		interceptortest.Each(t, hooks, interceptortest.Request{Handler: handler}, func(t *testing.T, got interceptortest.Result) {
			record := log.String()
			log.Reset()
			if !strings.Contains(record, want) || strings.Contains(record, "sample_rate=1000") != (got.Code == codes.OK) {
				t.Errorf("record %q; want %s, and the rate of a success", record, want)
			}
		})
	}
}
