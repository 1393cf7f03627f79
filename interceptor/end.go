package interceptor

import "time"

// finalize makes the outcome final and runs AfterResponse of the entered hooks,
// innermost first, and the deferred cleanups. It does so once.
func (c *Call) finalize(httpStatus int) {
	c.mu.Lock()
	if c.ended.Load() {
		c.mu.Unlock()
		return
	}
	c.committed, c.took, c.httpStatus = true, time.Since(c.start), int32(httpStatus)
	c.ended.Store(true)
	c.mu.Unlock()
	c.at(phaseAfterResponse)
	defer c.runCleanups()
	c.afterAll(len(c.plan.steps))
}

// afterAll runs AfterResponse of the outermost left steps. Where a hook panics
// or ends the goroutine (runtime.Goexit), the deferred call goes on with the
// hooks further out.
func (c *Call) afterAll(left int) {
	defer func() {
		if r := recover(); r != nil {
			c.stack.tell(&c.ctx, c, panicked(c.plan.steps[left].name, r))
		}
		if left > 0 {
			c.afterAll(left)
		}
	}()
	steps := c.plan.steps
	all := int(c.early+c.late) == len(steps)
	for left > 0 {
		left--
		if st := &steps[left]; st.lacks&afterResponse == 0 && (all || c.entered(st)) {
			st.hook.AfterResponse(c.contextOf(st), c)
		}
	}
}

// runCleanups runs what Defer collected, last first, and what the cleanups
// themselves defer. A cleanup that ends the goroutine does not stop the others.
func (c *Call) runCleanups() {
	f := c.nextCleanup()
	if f == nil {
		return
	}
	defer c.runCleanups()
	for ; f != nil; f = c.nextCleanup() {
		c.cleanup(f)
	}
}

// nextCleanup takes the newest cleanup; after the last, Defer runs what it gets.
func (c *Call) nextCleanup() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	rare := c.readRare()
	if rare == nil || len(rare.cleanups) == 0 {
		c.cleaned = true
		return nil
	}
	last := len(rare.cleanups) - 1
	f := rare.cleanups[last]
	rare.cleanups = rare.cleanups[:last]
	return f
}

func (c *Call) cleanup(f func()) {
	defer func() {
		if r := recover(); r != nil {
			c.stack.tell(&c.ctx, c, panicked("", r))
		}
	}()
	f()
}
