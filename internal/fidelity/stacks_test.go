package fidelity_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
)

// stacks are what servers are wrapped in. None of their hooks does anything that
// a client should see, except for the request's id.
var stacks = []struct {
	name string
	make func() *interceptor.Stack
}{
	{"empty", func() *interceptor.Stack { return quiet(interceptor.MustNew()) }},
	{"idle", func() *interceptor.Stack {
		return quiet(interceptor.MustNew(interceptor.As("first", idle{}), interceptor.FromFuncs("second", interceptor.Funcs{
			BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
				call.Defer(func() {})
				return context.WithValue(ctx, idleKey{}, call.Path()), nil
			},
			OnReceive: func(context.Context, *interceptor.Call, any) error { return nil },
		}), interceptor.When(interceptor.SelectFunc("all", func(*interceptor.Method) bool { return true }), interceptor.As("third", idle{}))))
	}},
	{"usual", func() *interceptor.Stack {
		return quiet(interceptor.MustNew(requestid.New(), logging.New(slog.New(slog.DiscardHandler)), interceptor.As("idle", idle{})))
	}},
}

// quiet keeps reports about handlers that panic on purpose out of the test's
// output.
func quiet(s *interceptor.Stack) *interceptor.Stack {
	return s.ReportTo(func(context.Context, *interceptor.Call, error) {})
}

// idle has every phase and does nothing in any.
type idle struct{ interceptor.Base }

type idleKey struct{}

func (idle) OnReceive(context.Context, *interceptor.Call, any) error { return nil }
func (idle) OnSend(context.Context, *interceptor.Call, any) error    { return nil }
func (idle) BeforeResponse(context.Context, *interceptor.Call) error { return nil }
func (idle) WrapHandler(next interceptor.Handler) interceptor.Handler {
	return func(ctx context.Context, call *interceptor.Call) error { return next(ctx, call) }
}

// withoutID takes out what the hooks of the usual stack do on purpose: the
// request's id. A header makes two blocks of a gRPC answer that was one
// ("Trailers-Only"); where it is the only one, they become one again.
func withoutID(lines []string) []string {
	var kept []string
	for _, line := range lines {
		if name, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(line), "client: "), ":"); name != idField {
			kept = append(kept, line)
			continue
		}
		if start := bareBlock(kept); start >= 0 {
			kept[start] += onlyID
		}
	}
	for i := 0; i < len(kept); i++ {
		block, ok := strings.CutSuffix(kept[i], onlyID)
		if !ok {
			continue
		}
		kept[i] = block
		if end := i + 1 + slices.IndexFunc(kept[i+1:], isFrame); end > i && kept[end] == block+" END_STREAM" {
			kept = slices.Replace(kept, i, end+1, kept[end], "client: :status: 200", "client: content-type: application/grpc")
		}
	}
	return kept
}

// bareBlock returns where the header block begins that lines end with, if it says
// only what grpc-go always says, and -1 otherwise.
func bareBlock(lines []string) int {
	for i, line := range slices.Backward(lines) {
		switch strings.TrimPrefix(line, "client: ") {
		case ":status: 200", "content-type: application/grpc", "grpc-encoding: gzip":
			continue
		}
		if strings.HasSuffix(line, "] HEADERS") {
			return i
		}
		return -1
	}
	return -1
}

// isFrame tells whether a line begins what came in one frame.
func isFrame(line string) bool { return strings.HasPrefix(line, "client: [") }

const (
	idField = "x-request-id"
	onlyID  = " (only an id)"
)
