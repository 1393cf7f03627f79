package logging_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	"github.com/crosscut-go/crosscut/internal/racing"
	"github.com/crosscut-go/crosscut/internal/tracekey"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

var span = tracekey.Span{
	TraceID: [16]byte{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c},
	SpanID:  [8]byte{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31},
	Flags:   1,
}

// traced stands for a hook that traces calls. It is listed inside of the log: the
// ids are found in either order.
var traced = interceptor.FromFuncs("traced", interceptor.Funcs{
	BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		tracekey.Key.Set(call, &span)
		return ctx, nil
	},
})

func TestSpanOfTheCall(t *testing.T) {
	t.Parallel()
	x := exchange{wire: &wire{kind: driver.GRPC}, method: unary()}
	check(t, logged(t, x, nil, traced), map[string]any{
		"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "trace_flags": "01",
	})
	check(t, logged(t, x, nil), map[string]any{"trace_id": nil, "span_id": nil, "trace_flags": nil})
}

// TestSpanAllocation checks that the ids of a span take one allocation, besides the
// one for a record of more than five attributes.
func TestSpanAllocation(t *testing.T) { // not parallel: it counts allocations
	if racing.Enabled {
		t.Skip("the race detector allocates as well")
	}
	run := func(key bool) float64 {
		hooks := []interceptor.Hook{logging.New(slog.New(drop{}))}
		if key {
			hooks = append(hooks, traced)
		} else {
			hooks = append(hooks, untraced)
		}
		return testing.AllocsPerRun(1000, directRPC(t, interceptor.MustNew(hooks...)))
	}
	if n := run(true) - run(false); n != 2 {
		t.Errorf("the ids of a span take %v allocations, want 2", n)
	}
}

var spanElsewhere = interceptor.NewKey[*tracekey.Span]("elsewhere")

// untraced costs what traced costs.
var untraced = interceptor.FromFuncs("untraced", interceptor.Funcs{
	BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		spanElsewhere.Set(call, &span)
		return ctx, nil
	},
})

func TestSpanOfAPayload(t *testing.T) {
	t.Parallel()
	var j journal
	hooks := []interceptor.Hook{traced, logging.New(j.logger(slog.LevelDebug), logging.Payloads(slog.LevelDebug))}
	exchange{method: unary(), request: &pb.UnaryRequest{Text: "x"}}.run(t, interceptor.MustNew(hooks...).ReportTo(nil))
	for _, r := range j.records(t) {
		check(t, r, map[string]any{"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"})
	}
}
