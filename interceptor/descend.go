package interceptor

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// begin starts the call in c and returns the context that carries it.
func (c *Call) begin(s *Stack, parent context.Context, wire driver.Transport) context.Context { //nolint:revive // driver.Ops names the order
	c.ctx = callContext{parent, c}
	c.stack, c.wire, c.run = s, wire, wire
	c.start = time.Now()
	c.plan = s.unresolved[wire.Kind()]
	c.inner = &c.ctx
	return &c.ctx
}

// beforeRequest runs BeforeRequest of the hooks that do not wait for the method.
// It tells whether the call goes on.
func (c *Call) beforeRequest() bool {
	if len(c.plan.steps) == 0 {
		return true
	}
	c.at(phaseBeforeRequest)
	err := c.enterAll(c.plan.steps)
	c.at(phaseNone)
	if err != nil {
		_ = c.fail(err, false)
		return false
	}
	return c.reply == nil
}

// enterAll calls the hooks in place: another call around each would cost a third of
// what a hook does.
func (c *Call) enterAll(steps []step) (err error) {
	defer c.recoverPhase(&err, steps, &c.early)
	for i := range steps {
		if st := &steps[i]; st.lacks&beforeRequest == 0 {
			if ctx, rejected := st.hook.BeforeRequest(c.inner, c); !c.passed(ctx, rejected) {
				if rejected = c.settleBeforeRequest(ctx, rejected, st.entry); rejected != nil {
					return rejected
				}
			}
		}
		c.early++
		if c.reply != nil {
			return nil
		}
	}
	return nil
}

// passed tells whether a Before… phase did no more than return the context it
// received, as most do. Most calls have their own context throughout, and the compiler
// compares with a pointer of a known type in place.
func (c *Call) passed(ctx context.Context, err error) bool {
	if err != nil || c.bug != nil {
		return false
	}
	if c.inner == &c.ctx {
		return ctx == &c.ctx
	}
	return ctx == c.inner
}

// settleBeforeRequest settles a BeforeRequest that did more than return what it
// received. What is further in gets the context it returned.
func (c *Call) settleBeforeRequest(ctx context.Context, err error, e *entry) error {
	if err = c.judge(ctx, err, e, "BeforeRequest"); err == nil {
		c.changedContext(e.index, false)
	}
	return err
}

// enterLate runs BeforeRequest of a hook that waited for the method.
func (c *Call) enterLate(st *step) error {
	if st.lacks&beforeRequest == 0 {
		if ctx, err := st.hook.BeforeRequest(c.inner, c); !c.passed(ctx, err) {
			return c.settleBeforeRequest(ctx, err, st.entry)
		}
	}
	return nil
}

// judge settles what a Before… phase returned: a misuse is an error, an error
// wins over a reply of the same phase, and a Decider that did not agree has
// denied the call.
func (c *Call) judge(ctx context.Context, err error, e *entry, phase string) error {
	if err == nil && c.bug != nil {
		err = c.takeBug()
	}
	if err == nil {
		if ctx, err = c.accept(c.inner, ctx, e, phase); err == nil {
			c.inner = ctx
			return nil
		}
	}
	c.bug, c.reply = nil, nil
	c.deniedBy(e)
	return named(e, err)
}

// resolve runs BeforeHandler for m, entering the hooks that waited for it. It
// tells whether the handler may run.
func (c *Call) resolve(m *Method, route string) bool {
	c.mu.Lock() // of several that resolve at once, against the rules, one is the first
	known, answered := c.method.Load(), c.reply != nil
	if known == nil {
		c.route = route
		c.method.Store(m)
	}
	c.mu.Unlock()
	if known != nil {
		return c.sameMethod(known, m)
	}
	p := c.stack.planFor(m, c.wire.Kind())
	if c.failure != nil {
		return false
	}
	if answered {
		return c.checkHeldReply(m)
	}
	if p.err != nil {
		_ = c.fail(&replaced{misusef("method %s is closed: %v", m.name, p.err), p.err}, false)
		return false
	}
	c.plan = p
	if len(p.steps) == 0 {
		return true
	}
	c.at(phaseBeforeHandler)
	err := c.admitAll(p.steps, m)
	c.at(phaseNone)
	if err != nil {
		_ = c.fail(err, false)
		return false
	}
	return c.reply == nil
}

// checkHeldReply finds out, now that the method is known, whether the reply a
// BeforeRequest gave can answer it. The reply goes out in the plan of the hooks
// entered so far.
func (c *Call) checkHeldReply(m *Method) bool {
	if _, isHTTP := c.reply.(*driver.HTTPReply); isHTTP {
		return false
	}
	if err := checkReplyType(m, c.reply); err != nil {
		c.reply = nil
		_ = c.fail(err, false)
	}
	return false
}

func (c *Call) sameMethod(known, m *Method) bool {
	if known == m {
		return c.failure == nil && c.reply == nil
	}
	_ = c.fail(misusef("the call was decided for %s but would run %s; mount the inner layer so that it resolves the method itself (httpadapter.NewMux, httpadapter.StripPrefix, or a handler with an Inner method)", known.Name(), m.Name()), false)
	return false
}

func (c *Call) admitAll(steps []step, m *Method) (err error) {
	defer c.recoverPhase(&err, steps, &c.agreed)
	for i := range steps {
		st := &steps[i]
		if st.late {
			if err = c.enterLate(st); err != nil {
				return err
			}
			c.enteredLate(st)
			if c.reply != nil {
				return nil
			}
		}
		if st.lacks&beforeHandler == 0 {
			if ctx, rejected := st.hook.BeforeHandler(c.inner, c, m); !c.passed(ctx, rejected) {
				if rejected = c.judge(ctx, rejected, st.entry, "BeforeHandler"); rejected != nil {
					return rejected
				}
			}
		}
		if c.reply != nil {
			return nil
		}
		c.agreed++
	}
	return nil
}

// enteredLate records a hook that joined at resolution. Its context is recorded
// even when it is the one it received, because that one is not an outer hook's.
func (c *Call) enteredLate(st *step) {
	c.late++
	if n := c.notes.Load(); n != nil && n.changes != nil && n.changes.at == st.index {
		n.changes.late = true
		return
	}
	c.changedContext(st.index, true)
}

// recoverPhase turns a panic of the running hook into the error of its phase. That is
// the hook after those that are through, whatever else happens to the call.
func (c *Call) recoverPhase(err *error, steps []step, through *int32) {
	if r := recover(); r != nil {
		e := steps[*through].entry
		c.deniedBy(e)
		c.bug, c.reply = nil, nil
		*err = panicked(e.name, r)
	}
}

// runningHook is the hook whose Before… phase runs, for what it calls there, or nil.
func (c *Call) runningHook() *entry {
	through := c.agreed
	switch c.phase.Load() {
	case phaseBeforeHandler:
	case phaseBeforeRequest:
		through = c.early
	default:
		return nil
	}
	if int(through) >= len(c.plan.steps) {
		return nil // called by a goroutine that the hook did not wait for, which is misuse
	}
	return c.plan.steps[through].entry
}

func panicked(hook string, value any) error {
	return &PanicError{Value: value, Stack: debug.Stack(), Hook: hook}
}

func (c *Call) deniedBy(e *entry) {
	if e.decides {
		c.mu.Lock()
		if !c.ended.Load() {
			c.denied = true
		}
		c.mu.Unlock()
	}
}

// decided tells whether every Decider of the call has agreed.
func (c *Call) decided() bool { return c.plan != nil && c.agreed >= c.plan.decider }

// undecided names the Decider a reply has to wait for.
func (c *Call) undecided() string {
	for i := len(c.plan.steps) - 1; i >= 0; i-- {
		if c.plan.steps[i].decides {
			return c.plan.steps[i].name
		}
	}
	for _, e := range c.stack.entries {
		if e.decides {
			return e.name
		}
	}
	return "the deciding hook"
}

func (c *Call) entered(st *step) bool {
	if st.late {
		return st.rank < c.late
	}
	return st.rank < c.early
}
