package interceptor

import "time"

// finalize makes the outcome final and runs AfterResponse of the entered hooks,
// innermost first, and the deferred cleanups. It does so once.
func (c *Call) finalize(httpStatus int) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended, c.committed = true, true
	c.end = time.Now()
	c.httpStatus = httpStatus
	c.mu.Unlock()
	c.at(phaseAfterResponse)
	left := len(c.plan.steps)
	defer c.runCleanups()
	defer c.afterAll(&left) // a hook that ended the goroutine must not stop the others
	c.afterAll(&left)
}

func (c *Call) afterAll(left *int) {
	for *left > 0 {
		c.after(left)
	}
}

// after runs AfterResponse of the left innermost steps, until the end or a panic.
func (c *Call) after(left *int) {
	defer func() {
		if r := recover(); r != nil {
			c.stack.tell(&c.ctx, c, panicked(c.plan.steps[*left].name, r))
		}
	}()
	for *left > 0 {
		*left--
		st := &c.plan.steps[*left]
		if c.entered(st) && !(st.isFuncs && st.funcs.AfterResponse == nil) {
			st.hook.AfterResponse(c.contextOf(st), c)
		}
	}
}

func (c *Call) runCleanups() {
	for {
		c.mu.Lock()
		n := len(c.cleanups)
		if n == 0 {
			c.mu.Unlock()
			return
		}
		f := c.cleanups[n-1]
		c.cleanups = c.cleanups[:n-1]
		c.mu.Unlock()
		c.cleanup(f)
	}
}

func (c *Call) cleanup(f func()) {
	defer func() {
		if r := recover(); r != nil {
			c.stack.tell(&c.ctx, c, panicked("", r))
		}
	}()
	f()
}
