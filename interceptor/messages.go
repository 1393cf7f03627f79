package interceptor

import (
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// receive runs OnReceive on a decoded request message and counts it.
func (c *Call) receive(msg any, bytes int) error {
	if err := c.refused(); err != nil {
		clearMessage(msg)
		return err
	}
	c.count.received.add(1, bytes)
	single := c.method.Kind().singleRequest()
	if len(c.plan.receive) > 0 {
		if single {
			c.at(phaseOnReceive)
		}
		if err := c.onReceive(msg, single); err != nil {
			clearMessage(msg)
			return c.refuse(err)
		}
	}
	if single {
		c.mu.Lock()
		c.request = msg
		c.mu.Unlock()
	}
	return nil
}

func (c *Call) onReceive(msg any, single bool) (err error) {
	var at *entry
	defer recoverMessage(&at, &err)
	for i := range c.plan.receive {
		at = c.plan.receive[i].entry
		if single {
			c.setRunning(at)
		}
		if err := at.messages.OnReceive(c.inner, c, msg); err != nil {
			return err
		}
		if single {
			if err := c.takeBug(); err != nil {
				return err
			}
			if c.reply != nil {
				break
			}
		}
	}
	c.mu.Lock()
	c.await = false
	c.mu.Unlock()
	return nil
}

// onSend runs OnSend of the entered hooks on a response message.
func (c *Call) onSend(msg any) (err error) {
	if len(c.plan.receive) == 0 {
		return nil
	}
	var at *entry
	defer recoverMessage(&at, &err)
	for i := len(c.plan.receive) - 1; i >= 0; i-- {
		st := &c.plan.receive[i]
		if !c.entered(st) {
			continue
		}
		at = st.entry
		ctx := c.inner
		if c.plan.method == nil { // a reply of BeforeRequest
			ctx = c.contextOf(st)
		}
		if err := at.messages.OnSend(ctx, c, msg); err != nil {
			return err
		}
	}
	return nil
}

func recoverMessage(at **entry, err *error) {
	if r := recover(); r != nil {
		*err = panicked((*at).name, r)
	}
}

// clearMessage empties a message that a hook refused, so that a handler that
// ignores the error has nothing to act on.
func clearMessage(msg any) {
	if m, ok := msg.(proto.Message); ok && m.ProtoReflect().IsValid() {
		proto.Reset(m)
	}
}

// refused is the error of a message that a hook refused earlier, or nil.
func (c *Call) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.poison
}

// isWaiting tells whether a hook still waits for the first request message.
func (c *Call) isWaiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.await
}

// unmet is the failure of a call that would end without the message a hook
// waits for.
func (c *Call) unmet() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.await {
		return nil
	}
	return errNoMessage
}

// send passes one message of a response stream through OnSend and, before the
// first one, BeforeResponse. It returns the message to send.
func (c *Call) send(msg any) (any, error) {
	if err := c.refused(); err != nil {
		return nil, err
	}
	if c.isWaiting() {
		return nil, c.refuse(misusef("a message was sent before the hook that called AwaitMessage has agreed to the first request message"))
	}
	if err := c.onSend(msg); err != nil {
		return nil, c.refuse(err)
	}
	msg, err := c.respond(msg, nil)
	if err != nil {
		return nil, c.refuse(err)
	}
	return c.record(msg), nil
}

// finish settles a stream its handler left with err.
func (c *Call) finish(err error, send func(any) error) error {
	if p := c.refused(); p != nil {
		err = p
	}
	if err == nil {
		err = c.takeBug()
	}
	if err == nil && c.failure == nil {
		err = c.finishReply(send)
	}
	if err == nil && c.failure == nil {
		err = c.unmet()
	}
	if err != nil && c.failure == nil {
		err = c.recoverStream(err, send)
	} else if c.failure != nil {
		err = c.failure
	}
	_, err = c.respond(nil, err)
	return err
}

// finishReply sends the reply a hook gave instead of the handler.
func (c *Call) finishReply(send func(any) error) error {
	reply := c.answered()
	if reply == nil {
		return nil
	}
	if _, isHTTP := reply.(*driver.HTTPReply); isHTTP {
		return nil // the HTTP side writes it
	}
	return send(reply)
}

// recoverStream fails a stream and sends the reply of a hook that recovered it.
func (c *Call) recoverStream(err error, send func(any) error) error {
	if err = c.fail(err, false); err != nil {
		return err
	}
	if err = c.finishReply(send); err != nil {
		return c.fail(err, false)
	}
	return nil
}
