package interceptor

import "github.com/crosscut-go/crosscut/internal/driver"

// notes is what hooks leave with a call, and what only few calls come to. Calls
// without any do not pay for the room, and those with some for one allocation.
type notes struct {
	values   []keyValue
	headers  []driver.Header
	trailers []driver.Header
	cleanups []func()
	changes  []contextChange // contexts that hooks returned, in order; for the running phase only
	poison   error           // a refused message: every receive and send returns it
	valid    validity        // what hooks said in BeforeHandler
	checked  any             // a reply that has passed OnSend before it is sent; for the running phase only

	// Room for the first of each.
	firstValues  [4]keyValue
	firstHeaders [2]driver.Header
	firstChanges [2]contextChange
}

// notesLocked returns the call's notes for writing; c.mu is held.
func (c *Call) notesLocked() *notes {
	n := c.notes.Load()
	if n == nil {
		n = new(notes)
		n.values, n.headers, n.changes = n.firstValues[:0], n.firstHeaders[:0], n.firstChanges[:0]
		c.notes.Store(n)
	}
	return n
}

// changedContext records a context that a hook returned.
func (c *Call) changedContext(change contextChange) {
	c.mu.Lock()
	n := c.notesLocked()
	c.mu.Unlock()
	n.changes = append(n.changes, change)
}
