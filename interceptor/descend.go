package interceptor

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// begin starts the call in c and returns the context that carries it.
func (c *Call) begin(s *Stack, parent context.Context, wire driver.Transport) context.Context {
	c.ctx = callContext{parent, c}
	c.stack, c.wire, c.run = s, wire, wire
	c.start = time.Now()
	c.plan = s.unresolved[wire.Kind()]
	c.inner = &c.ctx
	c.changes = c.changed[:0]
	return &c.ctx
}

// beforeRequest runs BeforeRequest of the hooks that do not wait for the method.
// It tells whether the call goes on.
func (c *Call) beforeRequest() bool {
	if len(c.plan.steps) == 0 {
		return true
	}
	c.at(phaseBeforeRequest)
	if err := c.enterAll(c.plan.steps); err != nil {
		c.fail(err, false)
		return false
	}
	return c.reply == nil
}

func (c *Call) enterAll(steps []step) (err error) {
	defer c.recoverPhase(&err)
	for i := range steps {
		if c.inner, err = c.enter(steps[i].entry, c.inner); err != nil {
			return err
		}
		c.early++
		if c.reply != nil {
			return nil
		}
	}
	return nil
}

// enter runs one BeforeRequest and returns the context for what is further in.
func (c *Call) enter(e *entry, ctx context.Context) (context.Context, error) {
	c.running = e
	if e.isFuncs && e.funcs.BeforeRequest == nil {
		return ctx, nil
	}
	next, err := e.hook.BeforeRequest(ctx, c)
	if err == nil && c.bug != nil {
		err = c.takeBug()
	}
	if err != nil {
		c.bug = nil
		c.reply = nil // an error wins over a reply of the same phase
		c.deniedBy(e)
		return ctx, err
	}
	if next == ctx {
		return ctx, nil
	}
	if next, err = c.accept(e, "BeforeRequest", ctx, next); err != nil {
		return ctx, err
	}
	c.changes = append(c.changes, contextChange{at: e.index, ctx: next})
	return next, nil
}

// resolve runs BeforeHandler for m, entering the hooks that waited for it. It
// tells whether the handler may run.
func (c *Call) resolve(m *Method, route string) bool {
	if known := c.Method(); known != nil {
		return c.sameMethod(known, m)
	}
	p := c.stack.planFor(m, c.wire.Kind())
	c.mu.Lock()
	c.method, c.route = m, route
	answered := c.reply != nil
	c.mu.Unlock()
	if c.failure != nil {
		return false
	}
	if answered {
		return c.checkHeldReply(m)
	}
	if p.err != nil {
		c.fail(p.err, false)
		return false
	}
	c.plan = p
	if len(p.steps) == 0 {
		return true
	}
	c.at(phaseBeforeHandler)
	err := c.admitAll(p.steps)
	c.running = nil
	if err != nil {
		c.fail(err, false)
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
		c.fail(err, false)
	}
	return false
}

func (c *Call) sameMethod(known, m *Method) bool {
	if known == m {
		return c.failure == nil && c.reply == nil
	}
	c.fail(misusef("the call was decided for %s but would run %s; mount the inner layer so that it resolves the method itself (httpadapter.NewMux, httpadapter.StripPrefix, or a handler with an Inner method)", known.Name(), m.Name()), false)
	return false
}

func (c *Call) admitAll(steps []step) (err error) {
	defer c.recoverPhase(&err)
	ctx := c.inner
	for i := range steps {
		st := &steps[i]
		if st.late {
			next, err := c.enter(st.entry, ctx)
			if err != nil {
				return err
			}
			c.enteredLate(st, next)
			if ctx = next; c.reply != nil {
				break
			}
		}
		next, err := c.admit(st.entry, ctx)
		if err != nil {
			return err
		}
		ctx = next
		if c.reply != nil {
			break
		}
		c.agreed++
	}
	c.inner = ctx
	return nil
}

// enteredLate records a hook that joined at resolution. Its context is recorded
// even when it is the one it received, because that one is not an outer hook's.
func (c *Call) enteredLate(st *step, ctx context.Context) {
	c.late++
	if n := len(c.changes); n > 0 && c.changes[n-1].at == st.index {
		c.changes[n-1].late = true
		return
	}
	c.changes = append(c.changes, contextChange{at: st.index, late: true, ctx: ctx})
}

// admit runs one BeforeHandler.
func (c *Call) admit(e *entry, ctx context.Context) (context.Context, error) {
	c.running = e
	if e.isFuncs && e.funcs.BeforeHandler == nil {
		return ctx, nil
	}
	next, err := e.hook.BeforeHandler(ctx, c, c.method)
	if err == nil && c.bug != nil {
		err = c.takeBug()
	}
	if err != nil {
		c.bug = nil
		c.reply = nil
		c.deniedBy(e)
		return ctx, err
	}
	if next == ctx {
		return ctx, nil
	}
	return c.accept(e, "BeforeHandler", ctx, next)
}

// recoverPhase turns a panic of the running hook into the error of its phase.
func (c *Call) recoverPhase(err *error) {
	if r := recover(); r != nil {
		name := ""
		if c.running != nil {
			name = c.running.name
			c.deniedBy(c.running)
		}
		c.bug, c.reply = nil, nil
		*err = panicked(name, r)
	}
}

func panicked(hook string, value any) error {
	return &PanicError{Value: value, Stack: debug.Stack(), Hook: hook}
}

func (c *Call) deniedBy(e *entry) {
	if e.decides {
		c.mu.Lock()
		c.denied = true
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
