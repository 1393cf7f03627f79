package interceptor

import "github.com/crosscut-go/crosscut/internal/driver"

// notes is what hooks leave with a call. Calls without any do not pay for the room,
// and those with some for one allocation.
type notes struct {
	values  []keyValue
	headers []driver.Header
	changes []contextChange // contexts that hooks returned, in order; for the running phase only
	checked any             // a reply that has passed OnSend before it is sent; for the running phase only
	valid   validity        // what hooks said in BeforeHandler
	rare    *rareNotes      // nil until there is one

	// Room for the first of each.
	firstValues  [4]keyValue
	firstHeaders [2]driver.Header
	firstChanges [2]contextChange
}

// rareNotes is what only few calls come to.
type rareNotes struct {
	trailers []driver.Header
	cleanups []func()
	poison   error // a refused message: every receive and send returns it
}

// rareLocked returns the call's rare notes for writing; c.mu is held.
func (c *Call) rareLocked() *rareNotes {
	n := c.notesLocked()
	if n.rare == nil {
		n.rare = new(rareNotes)
	}
	return n.rare
}

// readRare returns the call's rare notes; c.mu is held.
func (c *Call) readRare() rareNotes {
	if n := c.notes.Load(); n != nil && n.rare != nil {
		return *n.rare
	}
	return rareNotes{}
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
