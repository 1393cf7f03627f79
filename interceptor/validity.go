package interceptor

import "time"

// validity is until when a hook agrees to a call, and what comes after.
type validity struct {
	until time.Time
	err   error
	hook  *entry
}

// ValidUntil declares, in BeforeHandler, that what the running hook agreed to counts
// until t, the expiry of a credential say: a request message that arrives later is
// refused with err. A client may send the headers of a call, hold the message back for
// as long as the transport allows, and have its handler run by a credential that has
// expired long ago; a unary handler that has its message by then may finish.
//
// It starts no timer. What may be a stream also needs a context with a deadline, and a
// plain route has no messages. Of several times the earliest counts; the zero time
// changes nothing. Elsewhere than in BeforeHandler, and with a nil err, the call fails
// INTERNAL.
func (c *Call) ValidUntil(t time.Time, err error) {
	if c == nil || c.stack == nil || t.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := c.inBeforeHandlerLocked("ValidUntil"); {
	case e == nil:
	case err == nil:
		_ = c.misusedLocked(misusef("ValidUntil without an error to refuse later messages with"))
	default:
		n := c.notesLocked()
		if n.valid == nil || t.Before(n.valid.until) {
			n.valid = &validity{t.Round(0), err, e} // by the wall clock, as credentials expire
		}
	}
}

// lapsed is why a message that has just arrived is too late, or nil.
func (c *Call) lapsed() error {
	n := c.notes.Load()
	if n == nil || n.valid == nil || time.Now().Before(n.valid.until) {
		return nil
	}
	c.deniedBy(n.valid.hook)
	return n.valid.err
}
