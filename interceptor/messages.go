package interceptor

import (
	"errors"
	"reflect"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/internal/driver"
)

var (
	errNoMessage = NewError(codes.InvalidArgument, "a request message is required")
	// errAnswered stops a stream's handler after a hook has answered; the call
	// itself has not failed.
	errAnswered = errors.New("crosscut: a hook has answered this call; nothing more is received or sent")
	errEnded    = errors.New("crosscut: the call has ended; a goroutine of its handler goes on receiving or sending")
)

// receive runs OnReceive on a decoded request message and counts it.
func (c *Call) receive(msg any, bytes int) error {
	if err := c.refused(); err != nil {
		clearMessage(msg)
		return err
	}
	c.count.received.add(1, bytes)
	if err := c.lapsed(); err != nil {
		clearMessage(msg)
		return c.refuse(err)
	}
	single := c.Method().Kind().singleRequest()
	if len(c.plan.receive) > 0 {
		before := c.phase.Load()
		if single { // else OnSend may run meanwhile
			c.at(phaseOnReceive)
		}
		err := c.onReceive(msg)
		if single {
			c.at(before)
		}
		if err != nil {
			clearMessage(msg)
			return c.refuse(err)
		}
	}
	if single {
		c.mu.Lock()
		if !c.ended.Load() {
			c.request = msg
		}
		c.mu.Unlock()
	}
	return nil
}

func (c *Call) onReceive(msg any) (err error) {
	var at *entry
	defer func() {
		if r := recover(); r != nil {
			c.deniedBy(at)
			err = panicked(at.name, r)
		}
	}()
	for i := range c.plan.receive {
		at = c.plan.receive[i].entry
		if err := at.messages.OnReceive(c.inner, c, msg); err != nil {
			c.deniedBy(at)
			return named(at, err)
		}
		if answered, err := c.agree(at, i == len(c.plan.receive)-1); answered || err != nil {
			return named(at, err)
		}
	}
	return nil
}

// agree settles an OnReceive that returned nil: whether the hook answered, which
// it may not do before the hooks further in that asked to see the message. Once the
// last hook has agreed nobody waits any more.
func (c *Call) agree(e *entry, last bool) (answered bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err, c.bug = c.bug, nil; err != nil {
		return false, err
	}
	if c.reply == nil {
		if last {
			c.await = nil
		}
		return false, nil
	}
	if c.await != nil && c.await.index > e.index {
		return true, misusef("a reply in OnReceive before %s, which called AwaitMessage, has seen the message; list the replying hook after it", c.await.name)
	}
	c.await = nil
	return true, nil
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
		if err = at.messages.OnSend(ctx, c, msg); err == nil {
			err = c.takeBug()
		}
		if err != nil {
			return named(at, err)
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
// ignores the error has nothing to act on. Messages of codecs other than proto
// are set to their zero value.
func clearMessage(msg any) {
	if m, ok := msg.(proto.Message); ok {
		if m.ProtoReflect().IsValid() {
			proto.Reset(m)
		}
		return
	}
	if v := reflect.ValueOf(msg); v.Kind() == reflect.Pointer && !v.IsNil() {
		v.Elem().SetZero()
	}
}

// refused is why the call takes no more messages, or nil.
func (c *Call) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refusedLocked()
}

func (c *Call) refusedLocked() error {
	if c.ended.Load() {
		return errEnded
	}
	if rare := c.readRare(); rare != nil && rare.poison != nil {
		return rare.poison
	}
	if c.replied {
		return errAnswered
	}
	return nil
}

// isWaiting tells whether a hook still waits for the first request message.
func (c *Call) isWaiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.await != nil
}

// send passes one message of a response stream through OnSend and, before the
// first one, BeforeResponse. It returns the message to send.
func (c *Call) send(msg any) (any, error) {
	checked, err := c.maySend(msg)
	if err != nil {
		return nil, err
	}
	if !checked {
		if err := c.onSend(msg); err != nil {
			return nil, c.refuse(err)
		}
	}
	out, err := c.respond(msg, nil)
	if err != nil {
		return nil, c.refuse(err)
	}
	c.mu.Lock()
	c.replied = c.reply != nil // maySend lets nothing else pass then
	c.mu.Unlock()
	return c.record(out), nil
}

// maySend refuses a message once the call takes none, and any but the reply of a
// call that a hook has answered. It tells whether the message has passed OnSend.
func (c *Call) maySend(msg any) (checked bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reply != nil && !c.replied && !c.ended.Load() {
		if !sameReply(c.reply, msg) {
			return false, errAnswered
		}
		rare := c.readRare()
		return rare != nil && sameReply(rare.checked, msg), nil // also after a refused message, when OnError recovered
	}
	if err := c.refusedLocked(); err != nil {
		return false, err
	}
	if c.await != nil {
		return false, c.poisonLocked(misusef("a message was sent before %s, which called AwaitMessage, has agreed to the first request message", c.await.name))
	}
	return false, nil
}

// poisonLocked has every later receive and send return err, unless one refuses them
// already.
func (c *Call) poisonLocked(err error) error {
	rare := c.rareLocked()
	if rare.poison == nil {
		rare.poison = err
	}
	return rare.poison
}

// finish settles a stream its handler left with err.
func (c *Call) finish(err error, send func(any) error) error {
	if c.failure != nil {
		err = c.failure
	} else if _, err = c.outcome(err); err == nil {
		err = c.finishReply(send)
	}
	if err != nil {
		err = c.failStream(err, send)
	}
	reply, err := c.respond(nil, err)
	if err == nil && reply != nil { // given in BeforeResponse of a stream without messages
		c.mu.Lock()
		c.rareLocked().checked = reply
		c.mu.Unlock()
		if err = c.finishReply(send); err != nil {
			err = c.fail(err, false)
		}
	}
	return err
}

// finishReply sends the reply a hook gave instead of the handler.
func (c *Call) finishReply(send func(any) error) error {
	c.mu.Lock()
	reply, done := c.reply, c.replied
	c.mu.Unlock()
	if reply == nil || done {
		return nil
	}
	if _, isHTTP := reply.(*driver.HTTPReply); isHTTP {
		return nil // the HTTP side writes it
	}
	return send(reply)
}

// failStream fails a stream and sends the reply of a hook that recovered it.
func (c *Call) failStream(err error, send func(any) error) error {
	if err = c.fail(err, false); err != nil {
		return err
	}
	if err = c.finishReply(send); err != nil {
		return c.fail(err, false)
	}
	return nil
}
