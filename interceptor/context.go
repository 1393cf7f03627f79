package interceptor

import (
	"context"
	"reflect"
)

// contextChange is a context that a hook returned from BeforeRequest: the later
// phases of that hook, and of the hooks further in, receive it.
type contextChange struct {
	at   int32 // index of the hook in its stack
	late bool
	ctx  context.Context
	next *contextChange // the one before
}

// changedContext records a context that a hook returned.
func (c *Call) changedContext(at int32, late bool) {
	c.mu.Lock()
	n := c.notesLocked()
	c.mu.Unlock()
	change := &n.firstChange
	if n.changes != nil {
		change = new(contextChange)
	}
	*change = contextChange{at: at, late: late, ctx: c.inner, next: n.changes}
	n.changes = change
}

// contextOf returns the context that the hook's own BeforeRequest returned. An
// early hook sees the newest context of the early hooks up to itself; a late one
// always recorded its own.
func (c *Call) contextOf(st *step) context.Context {
	if n := c.notes.Load(); n != nil {
		for ch := n.changes; ch != nil; ch = ch.next {
			if st.late && ch.late && ch.at == st.index || !st.late && !ch.late && ch.at <= st.index {
				return ch.ctx
			}
		}
	}
	return &c.ctx
}

// accept checks the context a Before… phase returned and keeps the deadline and
// cancellation of the one the phase received.
func (c *Call) accept(received, returned context.Context, e *entry, phase string) (context.Context, error) {
	if err := c.checkContext(returned, e, "returned by", phase); err != nil {
		return nil, err
	}
	if !reflect.ValueOf(returned).Comparable() {
		returned = &opaqueContext{returned} // contexts are compared further in
	}
	return c.keepLifetime(received, returned), nil
}

// opaqueContext makes a context of an uncomparable type comparable.
type opaqueContext struct{ context.Context }

// checkContext refuses a context that is not one of the call. Where it came from is in
// two words, which are put together only for the error.
func (c *Call) checkContext(ctx context.Context, hook *entry, came, where string) error {
	if ctx == nil {
		return hook.misusef("the context %s %s is nil; use the context the hook received, or one derived from it", came, where)
	}
	if ctx == context.Context(&c.ctx) {
		return nil
	}
	switch found, _ := ctx.Value(callKey{}).(*Call); {
	case found == nil:
		return hook.misusef("the context %s %s is not derived from the context the hook received", came, where)
	case found != c:
		return hook.misusef("the context %s %s belongs to another call; use the context the hook received", came, where)
	}
	return nil
}

// keepLifetime returns ctx such that it ends no later than parent. Values come
// from ctx alone. Only a context with a Done of its own can have lost the
// parent's (context.WithoutCancel does), so the common ones pass as they are.
func (c *Call) keepLifetime(parent, ctx context.Context) context.Context {
	if done := parent.Done(); done == nil || ctx.Done() == done {
		return ctx
	}
	merged, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(parent, func() { cancel(context.Cause(parent)) })
	c.Defer(func() {
		stop()
		cancel(nil)
	})
	deadline, ok := parent.Deadline()
	if own, has := ctx.Deadline(); !ok || has && !own.After(deadline) {
		return merged
	}
	limited, release := context.WithDeadlineCause(merged, deadline, context.DeadlineExceeded)
	c.Defer(release)
	return limited
}
