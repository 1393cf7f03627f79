package interceptor

import (
	"errors"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// answer settles the one answer of a call from what its handler returned.
func (c *Call) answer(resp any, err error) (any, error) {
	reply, err := c.outcome(err)
	if err == nil {
		if reply != nil {
			resp = reply
		}
		if err = c.check(resp); err == nil {
			return c.record(resp), nil
		}
	}
	if err = c.fail(err, false); err != nil {
		return nil, err
	}
	return c.recovered()
}

// outcome is how a call stands after its handler returned err, and what a hook has
// answered. A refused message and a misuse count even if the handler swallowed them.
func (c *Call) outcome(err error) (reply any, _ error) {
	c.mu.Lock()
	refused, waiting, reply := c.refusedLocked(), c.await != nil, c.reply
	if err == nil && refused == nil {
		err, c.bug = c.bug, nil
	}
	c.mu.Unlock()
	if refused != nil {
		err = refused
	}
	if err != nil && errors.Is(err, errAnswered) {
		err = c.takeBug()
	}
	if err == nil {
		err = c.failure // rejected before the handler
	}
	if err == nil && waiting {
		err = errNoMessage
	}
	return reply, err
}

// recovered is the answer of a hook that recovered the call.
func (c *Call) recovered() (any, error) {
	reply := c.answered()
	if err := c.check(reply); err != nil {
		return nil, c.fail(err, false)
	}
	return c.record(reply), nil
}

// check runs OnSend on an answer and makes sure that it can be encoded. HTTP
// answers and what a plain handler wrote itself are no messages.
func (c *Call) check(resp any) error {
	if resp == nil {
		return nil
	}
	if _, isHTTP := resp.(*driver.HTTPReply); isHTTP {
		return nil
	}
	if m := c.method.Load(); m != nil && c.answered() != nil {
		if err := checkReplyType(m, resp); err != nil {
			return err
		}
	}
	if len(c.plan.receive) > 0 {
		before := c.phase.Load()
		c.at(phaseOnSend)
		err := c.onSend(resp)
		c.at(before)
		if err != nil {
			return err
		}
	}
	return c.encode(resp)
}

// encode asks the adapter to try resp; a message type that panics when encoded
// is a failure like any other.
func (c *Call) encode(resp any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked("", r)
		}
	}()
	return c.run.Encode(resp)
}

func (c *Call) record(resp any) any {
	if _, isHTTP := resp.(*driver.HTTPReply); isHTTP || resp == nil {
		return resp
	}
	if m := c.method.Load(); m != nil && m.kind.singleResponse() {
		c.mu.Lock()
		if !c.ended.Load() {
			c.response = resp
		}
		c.mu.Unlock()
	}
	return resp
}

// respond runs BeforeResponse of the entered hooks, innermost first, once per
// call, and returns the answer that stands then.
func (c *Call) respond(resp any, err error) (any, error) {
	if c.respDone {
		return resp, err
	}
	c.respDone = true
	if len(c.plan.respond) == 0 {
		return resp, err
	}
	before := c.phase.Load()
	c.at(phaseBeforeResponse)
	for i := len(c.plan.respond) - 1; i >= 0; i-- {
		st := &c.plan.respond[i]
		if c.entered(st) {
			resp, err = c.respondOne(st, resp, err)
		}
	}
	c.at(before)
	return resp, err
}

func (c *Call) respondOne(st *step, resp any, err error) (any, error) {
	held := c.answered()
	refusal := c.beforeResponse(st)
	if refusal == nil {
		refusal = c.takeBug()
	}
	refusal = named(st.entry, refusal)
	reply := c.answered()
	if refusal == nil && err == nil && reply != nil && !sameReply(reply, held) {
		if refusal = c.check(reply); refusal == nil {
			return c.record(reply), nil
		}
	}
	if refusal == nil {
		return resp, err
	}
	if err = c.fail(refusal, false); err != nil {
		return nil, err
	}
	return c.recovered()
}

func (c *Call) beforeResponse(st *step) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(st.name, r)
		}
	}()
	return st.response.BeforeResponse(c.contextOf(st), c)
}

// sameReply compares replies, which are pointers in practice but may be of any
// type a codec accepts.
func sameReply(a, b any) (same bool) {
	defer func() { _ = recover() }() // uncomparable types differ
	return a == b
}
