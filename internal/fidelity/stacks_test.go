package fidelity_test

import (
	"context"
	"log/slog"
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
	{"empty", func() *interceptor.Stack { return interceptor.MustNew() }},
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
// request's id.
func withoutID(lines []string) []string {
	var kept []string
	for _, line := range lines {
		if name, _, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(line, "client: ")), ":"); strings.Contains(name, "x-request-id") {
			continue
		}
		kept = append(kept, line)
	}
	return kept
}
