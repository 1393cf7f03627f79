package interceptor

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"time"

	"google.golang.org/grpc/codes"
)

// fail records a failure. The first one of a call runs OnError; a later one
// changes the outcome and is reported. With sent, the status has left and what
// hooks return is ignored. It returns the error to send, or nil when a hook
// recovered the call with a reply.
func (c *Call) fail(err error, sent bool) error {
	err = c.settleContext(err)
	c.mu.Lock()
	first, older := !c.settled, c.failure
	if older != nil && sameFailure(older, err) {
		c.mu.Unlock()
		return older
	}
	late := c.ended.Load() || sent && older != nil // the client has the older outcome
	if !late {
		if older != nil {
			err = &replaced{err, older}
		}
		c.settled, c.failure = true, err
		c.reply, c.bug = nil, nil // an answer of before the failure is void
	}
	c.mu.Unlock()
	if first && !late {
		c.reportBug(err)
		return c.runOnError(err, sent)
	}
	c.stack.tell(&c.ctx, c, err)
	if late && older != nil {
		return older
	}
	c.sendErrorHeaders(err)
	return err
}

// sameFailure tells whether err is the failure, or one that it replaced.
func sameFailure(failure, err error) bool {
	if sameError(failure, err) {
		return true
	}
	r, ok := failure.(*replaced) //nolint:errorlint // only what the engine itself replaced
	return ok && (sameFailure(r.newer, err) || sameFailure(r.older, err))
}

// settleContext gives a failure caused by the end of the context the code the
// client gets. A deadline is DEADLINE_EXCEEDED even where the context says
// Canceled; a cause that carries a status wins.
func (c *Call) settleContext(err error) error {
	code := StatusOf(err).Code()
	if code != codes.Canceled && code != codes.DeadlineExceeded {
		return err
	}
	ctx := c.inner
	if ctx.Err() == nil {
		ctx = &c.ctx // a hook's context follows the transport's a moment later
	}
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if carrier(cause) != nil && !errors.Is(err, cause) {
		return &replaced{cause, err}
	}
	deadline, ok := ctx.Deadline()
	if ok && !time.Now().Before(deadline) && code != codes.DeadlineExceeded {
		return &replaced{context.DeadlineExceeded, err}
	}
	return err
}

// reportBug tells the operator about failures that are bugs, which clients see
// as a bland INTERNAL.
func (c *Call) reportBug(err error) {
	var m *misuse
	var p *PanicError
	if errors.As(err, &p) && p.Value == http.ErrAbortHandler && c.Transport() == HTTP { //nolint:errorlint // net/http compares so, too
		return // net/http's way to abort a response, which is no bug
	}
	if p != nil || errors.As(err, &m) {
		c.stack.tell(&c.ctx, c, err)
	}
}

// runOnError runs the OnError chain, innermost first.
func (c *Call) runOnError(err error, sent bool) error {
	before := c.phase.Load()
	c.at(phaseOnError)
	next := len(c.plan.steps) - 1
	for next >= 0 {
		next, err = c.onErrorFrom(next, err, sent)
		if err == nil {
			break // recovered
		}
	}
	c.at(before)
	if err != nil && !sent {
		c.sendErrorHeaders(err)
	}
	return err
}

// onErrorFrom runs OnError from step i outwards until the end, a recovery, or a
// panic, and returns the step to go on with.
func (c *Call) onErrorFrom(i int, err error, sent bool) (next int, out error) {
	next, out = i, err
	defer func() {
		if r := recover(); r != nil {
			p := panicked(c.plan.steps[next].name, r)
			c.stack.tell(&c.ctx, c, p)
			_ = c.takeBug()
			c.dropReply()
			if !sent {
				out = c.setFailure(&replaced{p, out})
			}
			next--
		}
	}()
	for ; next >= 0; next-- {
		st := &c.plan.steps[next]
		if !c.entered(st) || st.lacks&onError != 0 {
			continue
		}
		returned := st.hook.OnError(c.contextOf(st), c, out)
		out = c.takeOnError(st.entry, out, returned, sent)
		if out == nil {
			return next, nil
		}
	}
	return next, out
}

// takeOnError judges what an OnError returned: nil is a recovery only with a
// reply, another error replaces the failure.
func (c *Call) takeOnError(e *entry, err, returned error, sent bool) error {
	bug, reply := named(e, c.takeBug()), c.answered()
	if bug != nil {
		c.stack.tell(&c.ctx, c, bug)
	}
	switch {
	case sent:
		c.dropReply()
		return err
	case bug != nil:
		c.dropReply()
		return c.setFailure(&replaced{bug, err})
	case returned == nil && reply != nil:
		return c.setFailure(nil)
	case returned == nil:
		c.stack.tell(&c.ctx, c, e.misusef("OnError returned nil without Reply; return the error to keep it, or call Reply to recover"))
		return err
	}
	c.dropReply() // a reply counts only with a nil error
	if sameError(returned, err) {
		return err
	}
	return c.setFailure(&replaced{returned, err})
}

// sameError compares errors whose types may not be comparable.
func sameError(a, b error) bool {
	ta, tb := reflect.TypeOf(a), reflect.TypeOf(b)
	if ta != tb || !ta.Comparable() {
		return false
	}
	defer func() { _ = recover() }() // a comparable struct may hold what is not
	return a == b                    //nolint:errorlint // the very value
}

// setFailure makes err the failure, or nil none, and returns what stands: once the
// call has ended, on another goroutine, that is what it ended with, and the operator is
// told of the other.
func (c *Call) setFailure(err error) error {
	c.mu.Lock()
	ended := c.ended.Load()
	if !ended {
		c.failure = err
	}
	stands := c.failure
	c.mu.Unlock()
	if ended {
		c.stack.tell(&c.ctx, c, err)
	}
	return stands
}

func (c *Call) dropReply() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reply = nil
}

// sendErrorHeaders sets the headers that the error brings along. gRPC clients
// read a retry delay in the status, so only HTTP gets Retry-After.
func (c *Call) sendErrorHeaders(err error) {
	if c.Committed() {
		return
	}
	for _, h := range ownHeaders(err) {
		if err := c.ResponseHeader().Add(h.key, h.value); err != nil {
			c.stack.tell(&c.ctx, c, err)
		}
	}
	if c.Transport() != HTTP {
		return
	}
	if seconds, ok := retryAfter(StatusOf(err)); ok {
		if err := c.ResponseHeader().SetDefault("Retry-After", seconds); err != nil {
			c.stack.tell(&c.ctx, c, err)
		}
	}
}
