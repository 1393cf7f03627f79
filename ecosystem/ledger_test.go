package ecosystem_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/interceptor"
)

// ledger counts, for each call and each of its hooks, how often the hook was
// entered and how often it was told the outcome.
type ledger struct {
	mu      sync.Mutex
	calls   map[*interceptor.Call]*account
	changed chan struct{} // holds one token when something was booked
}

// account is what happened to one call.
type account struct {
	entered, ended [ledgerHooks]int
	method         string
}

// ledgerHooks is how many hooks a ledger has: enough for one with all phases to
// stand between two others.
const ledgerHooks = 3

func newLedger() *ledger {
	return &ledger{calls: map[*interceptor.Call]*account{}, changed: make(chan struct{}, 1)}
}

// stack returns a stack of the ledger's hooks and more. What it reports fails the
// test, but for the panics of handlers, which are made on purpose.
func (l *ledger) stack(t *testing.T, more ...interceptor.Hook) *interceptor.Stack {
	t.Helper()
	stack := interceptor.MustNew(append(l.hooks(), more...)...)
	return stack.ReportTo(func(_ context.Context, call *interceptor.Call, err error) {
		if p := (*interceptor.PanicError)(nil); !errors.As(err, &p) || p.Hook != "" {
			t.Errorf("reported for %q: %v", call.Path(), err)
		}
	})
}

// hooks returns the ledger's hooks. The one in the middle has every phase, so
// that messages, handlers and responses pass through the stack as well.
func (l *ledger) hooks() []interceptor.Hook {
	hooks := make([]interceptor.Hook, ledgerHooks)
	for i := range hooks {
		f := interceptor.Funcs{
			BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
				l.book(call, func(a *account) { a.entered[i]++ })
				return ctx, nil
			},
			AfterResponse: func(_ context.Context, call *interceptor.Call) {
				l.book(call, func(a *account) {
					a.ended[i]++
					a.method = call.Method().Name()
				})
			},
		}
		if i == ledgerHooks/2 {
			f.OnReceive = func(context.Context, *interceptor.Call, any) error { return nil }
			f.OnSend = f.OnReceive
			f.OnError = func(_ context.Context, _ *interceptor.Call, err error) error { return err }
			f.BeforeResponse = func(context.Context, *interceptor.Call) error { return nil }
			f.WrapHandler = func(next interceptor.Handler) interceptor.Handler {
				return func(ctx context.Context, call *interceptor.Call) error { return next(ctx, call) }
			}
		}
		hooks[i] = interceptor.FromFuncs(fmt.Sprintf("ledger%d", i), f)
	}
	return hooks
}

func (l *ledger) book(call *interceptor.Call, entry func(*account)) {
	l.mu.Lock()
	a := l.calls[call]
	if a == nil {
		a = new(account)
		l.calls[call] = a
	}
	entry(a)
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// balance waits until want calls have begun and every hook entered has been told
// the outcome, then checks that it was told once. A negative want is any number.
func (l *ledger) balance(t *testing.T, want int) {
	t.Helper()
	tooLong := time.NewTimer(20 * time.Second)
	defer tooLong.Stop()
	for !l.settled(want) {
		select {
		case <-l.changed:
		case <-tooLong.C:
			t.Fatalf("%d calls, want %d; or a hook that was entered has not been told the outcome", l.size(), want)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if want >= 0 && len(l.calls) != want {
		t.Errorf("%d calls, want %d", len(l.calls), want)
	}
	for _, a := range l.calls {
		if a.ended != a.entered || a.entered != [ledgerHooks]int{1, 1, 1} {
			t.Errorf("%s: hooks entered %v times, told the outcome %v times; want each once", a.method, a.entered, a.ended)
		}
	}
}

func (l *ledger) settled(want int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.calls {
		for i := range a.entered {
			if a.ended[i] < a.entered[i] {
				return false
			}
		}
	}
	return len(l.calls) >= want
}

func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls)
}
