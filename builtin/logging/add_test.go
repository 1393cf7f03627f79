package logging_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

func TestAdd(t *testing.T) {
	t.Parallel()
	inner := interceptor.FromFuncs("inner", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) {
			logging.Add(ctx, slog.String("early", "yes"))
			return ctx, nil
		},
		AfterResponse: func(ctx context.Context, _ *interceptor.Call) { logging.Add(ctx, slog.Int("late", 1)) },
	})
	r := logged(t, exchange{method: ops.NewRoute("GET /x"), handler: func(ctx context.Context) (any, error) {
		attrs := []slog.Attr{slog.Int("items", 3), slog.Group("cache", slog.Bool("hit", true))}
		logging.Add(ctx, attrs...)
		attrs[0] = slog.Int("changed", 1) // the slice is the handler's again
		return nil, nil
	}}, nil, inner)
	check(t, r, map[string]any{"early": "yes", "items": 3, "late": 1, "changed": nil})
	if cache, ok := r["cache"].(map[string]any); !ok || cache["hit"] != true {
		t.Errorf("cache is %v, want a group with hit true", r["cache"])
	}
}

func TestAddFromManyGoroutines(t *testing.T) {
	t.Parallel()
	const goroutines = 50
	r := logged(t, exchange{method: ops.NewRoute("GET /x"), handler: func(ctx context.Context) (any, error) {
		var wg sync.WaitGroup
		for i := range goroutines {
			wg.Go(func() { logging.Add(ctx, slog.Int(string(rune('A'+i)), i)) })
		}
		wg.Wait()
		return nil, nil
	}}, nil)
	for i := range goroutines {
		check(t, r, map[string]any{string(rune('A' + i)): i})
	}
}

func TestAddWithoutACall(t *testing.T) {
	t.Parallel()
	logging.Add(t.Context(), slog.Int("x", 1))
	logging.Add(nil, slog.Int("x", 1)) //nolint:staticcheck // a nil context is what must not panic
	c := new(interceptor.Call)
	logging.Add(ops.Begin(c, interceptor.MustNew(), t.Context(), &wire{}), slog.Int("x", 1))
	ops.End(c, 0)
}

func TestAddAfterTheCall(t *testing.T) {
	t.Parallel()
	var kept context.Context
	r := logged(t, exchange{method: ops.NewRoute("GET /x"), handler: func(ctx context.Context) (any, error) {
		kept = ctx
		return nil, nil
	}}, nil)
	logging.Add(kept, slog.Int("x", 1)) // must not panic, and comes too late
	check(t, r, map[string]any{"x": nil})
}

func TestAddedMessagesAreRedacted(t *testing.T) {
	t.Parallel()
	key := interceptor.NewKey[*pb.UnaryRequest]("request")
	secret := &pb.UnaryRequest{Text: "shown", Secret: "hunter2"}
	var j journal
	stack := interceptor.MustNew(logging.New(j.logger(slog.LevelInfo), logging.Keys(key)))
	exchange{method: ops.NewRoute("GET /x"), handler: func(ctx context.Context) (any, error) {
		c, _ := interceptor.CallFrom(ctx)
		key.Set(c, secret)
		logging.Add(ctx, slog.Any("added", secret), slog.Group("group", slog.Any("inside", secret)), slog.Any("nil", (*pb.UnaryRequest)(nil)))
		return nil, nil
	}}.run(t, stack)
	checkNoSecret(t, j.text(), "hunter2")
	r := j.records(t)[0]
	for _, v := range []any{r["request"], r["added"], r["group"].(map[string]any)["inside"]} {
		if m, ok := v.(map[string]any); !ok || m["text"] != "shown" {
			t.Errorf("%v; want the message without its secret", v)
		}
	}
}
