package grpcadapter

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

var (
	errParent = errors.New("the parent's cause")
	errEnd    = errors.New("the cause of the end")
)

// TestLifetime checks that nobody can tell when what he waits for was made: what
// context.WithCancelCause says of the same events holds, asked before or after.
func TestLifetime(t *testing.T) {
	t.Parallel()
	type event func(end, parent context.CancelCauseFunc)
	cases := []struct {
		name   string
		events event
		err    error
		cause  error
	}{
		{"nothing", func(_, _ context.CancelCauseFunc) {}, nil, nil},
		{"the end", func(end, _ context.CancelCauseFunc) { end(nil) }, context.Canceled, context.Canceled},
		{"the end with a cause", func(end, _ context.CancelCauseFunc) { end(errEnd) }, context.Canceled, errEnd},
		{"the parent", func(_, parent context.CancelCauseFunc) { parent(errParent) }, context.Canceled, errParent},
		{"the parent before the end", func(end, parent context.CancelCauseFunc) { parent(errParent); end(errEnd) }, context.Canceled, errParent},
		{"the parent before an end without a cause", func(end, parent context.CancelCauseFunc) { parent(errParent); end(nil) }, context.Canceled, errParent},
		{"the end before the parent", func(end, parent context.CancelCauseFunc) { end(errEnd); parent(errParent) }, context.Canceled, errEnd},
		{"an end without a cause before the parent", func(end, parent context.CancelCauseFunc) { end(nil); parent(errParent) }, context.Canceled, context.Canceled},
		{"two ends", func(end, _ context.CancelCauseFunc) { end(nil); end(errEnd) }, context.Canceled, context.Canceled},
	}
	for _, c := range cases {
		for _, early := range []bool{false, true} {
			parent, cancel := context.WithCancelCause(t.Context())
			ctx := &serverContext{lifetime: lifetime{parent: parent}}
			var child context.Context
			if early {
				var release context.CancelFunc
				child, release = context.WithCancel(ctx)
				t.Cleanup(release)
			}
			c.events(ctx.end, cancel)
			if got := ctx.Err(); got != c.err { //nolint:errorlint // identity is what is tested
				t.Errorf("%s, waited for before: %v: Err is %v, want %v", c.name, early, got, c.err)
			}
			if got := context.Cause(ctx); got != c.cause { //nolint:errorlint // identity is what is tested
				t.Errorf("%s, waited for before: %v: the cause is %v, want %v", c.name, early, got, c.cause)
			}
			if got := closed(ctx.Done()); got != (c.err != nil) {
				t.Errorf("%s, waited for before: %v: Done is closed: %v", c.name, early, got)
			}
			if early {
				if got := context.Cause(child); got != c.cause { //nolint:errorlint // identity is what is tested
					t.Errorf("%s: the cause of a derived context is %v, want %v", c.name, got, c.cause)
				}
			}
			cancel(nil)
		}
	}
}

// TestLifetimeIsThatOfParent checks deadlines, and the error that comes of one.
func TestLifetimeIsThatOfParent(t *testing.T) {
	t.Parallel()
	late, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	l := &lifetime{parent: late}
	want, _ := late.Deadline()
	if got, ok := l.Deadline(); !ok || !got.Equal(want) {
		t.Errorf("the deadline is %v (%v), want %v", got, ok, want)
	}
	l.end(nil)
	if !errors.Is(l.Err(), context.DeadlineExceeded) || !closed(l.Done()) || !errors.Is(l.Err(), context.DeadlineExceeded) {
		t.Errorf("the lifetime ended with %v, want that of its parent's deadline", l.Err())
	}
}

// TestLifetimeConcurrently has many ask while the lifetime ends: all must agree.
func TestLifetimeConcurrently(t *testing.T) {
	t.Parallel()
	for range 200 {
		parent, cancel := context.WithCancelCause(t.Context())
		ctx := &serverContext{lifetime: lifetime{parent: parent}}
		var all sync.WaitGroup
		for _, f := range []func(){
			func() { cancel(errParent) },
			func() { ctx.end(errEnd) },
			func() { ctx.end(nil) },
			func() { <-ctx.Done() },
			func() {
				child, release := context.WithCancel(ctx)
				defer release()
				<-child.Done()
				if cause := context.Cause(ctx); cause == nil || context.Cause(child) != cause { //nolint:errorlint // identity is what is tested
					t.Errorf("a derived context ended with %v, the call's with %v", context.Cause(child), cause)
				}
			},
			func() {
				for ctx.Err() == nil {
					runtime.Gosched()
				}
				if !closed(ctx.Done()) {
					t.Error("Err is set while Done is open")
				}
			},
		} {
			all.Go(f)
		}
		all.Wait()
	}
}

// TestLifetimeTakesNoGoroutine checks that package context finds the lifetime, so
// that contexts derived from it need no goroutine to end with it.
func TestLifetimeTakesNoGoroutine(t *testing.T) { // not parallel: it counts goroutines
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	ctx := &serverContext{lifetime: lifetime{parent: parent}}
	const derived = 100
	before := runtime.NumGoroutine()
	for range derived {
		_, release := context.WithCancel(ctx)
		t.Cleanup(release)
	}
	if more := runtime.NumGoroutine() - before; more >= derived {
		t.Errorf("%d derived contexts took %d goroutines, want none", derived, more)
	}
}
