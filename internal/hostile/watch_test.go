package hostile_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/crosscut-go/crosscut/interceptor"
)

// watch is a hook that counts its phases, one at each end of the stack. Every call
// that entered it must leave it, once, with at most one OnError.
type watch struct {
	name string
	seen *interceptor.Key[*visit]

	mu           sync.Mutex
	changed      sync.Cond
	begun, ended int
	faults       []string
}

// visit is what one call did to a watch.
type visit struct{ errors, ends int }

func newWatch(name string) *watch {
	w := &watch{name: name, seen: interceptor.NewKey[*visit](name)}
	w.changed.L = &w.mu
	return w
}

func (w *watch) Name() string { return w.name }

func (w *watch) BeforeRequest(ctx context.Context, call *interceptor.Call) (context.Context, error) {
	w.seen.Set(call, &visit{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun++
	return ctx, nil
}

func (*watch) BeforeHandler(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
	return ctx, nil
}

func (w *watch) OnError(_ context.Context, call *interceptor.Call, err error) error {
	v, _ := w.seen.Get(call)
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.errors++; v.errors > 1 {
		w.fault("OnError ran %d times", v.errors)
	}
	return err
}

func (w *watch) AfterResponse(_ context.Context, call *interceptor.Call) {
	v, entered := w.seen.Get(call)
	call.Defer(func() { // after the AfterResponse of every hook
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended++
		w.changed.Broadcast()
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if !entered {
		w.fault("AfterResponse of a call that did not enter")
		return
	}
	if v.ends++; v.ends > 1 {
		w.fault("AfterResponse ran %d times", v.ends)
	}
}

func (w *watch) fault(format string, args ...any) {
	w.faults = append(w.faults, w.name+": "+fmt.Sprintf(format, args...))
}

// settle waits until all calls that have begun are over, and returns how many there
// have been, and what was wrong with them since the last time.
func (w *watch) settle() (calls int, faults []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.begun != w.ended {
		w.changed.Wait()
	}
	faults, w.faults = w.faults, nil
	return w.ended, faults
}
