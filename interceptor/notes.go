package interceptor

import (
	"sync/atomic"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// notes is what hooks leave with a call. Calls without any do not pay for the room,
// and those with some for one allocation.
type notes struct {
	values  atomic.Pointer[stored] // the newest first
	headers []driver.Header
	changes *contextChange            // the newest first; for the running phase only
	valid   *validity                 // what hooks said in BeforeHandler, and not written later
	rare    atomic.Pointer[rareNotes] // nil until there is one

	// Room for the first of each.
	firstValues  [4]stored
	usedValues   int8
	firstText    text
	firstHeaders [2]driver.Header
	firstChange  contextChange
}

// rareNotes is what only few calls come to. c.mu guards all of it.
type rareNotes struct {
	trailers []driver.Header
	cleanups []func()
	poison   error // a refused message: every receive and send returns it
	checked  any   // a reply that has passed OnSend before it is sent
}

// rareLocked returns the call's rare notes for writing; c.mu is held.
func (c *Call) rareLocked() *rareNotes {
	n := c.notesLocked()
	rare := n.rare.Load()
	if rare == nil {
		rare = new(rareNotes)
		n.rare.Store(rare)
	}
	return rare
}

// readRare returns the call's rare notes, or nil.
func (c *Call) readRare() *rareNotes {
	if n := c.notes.Load(); n != nil {
		return n.rare.Load()
	}
	return nil
}

// notesLocked returns the call's notes for writing; c.mu is held.
func (c *Call) notesLocked() *notes {
	n := c.notes.Load()
	if n == nil {
		n = new(notes)
		n.headers = n.firstHeaders[:0]
		c.notes.Store(n)
	}
	return n
}
