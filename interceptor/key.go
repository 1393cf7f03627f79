package interceptor

import "context"

// Key is a typed slot in every call: what one hook learns and other hooks, the
// handler or the log must see. Keys are compared by identity, so two keys of one
// name are two keys; declare a Key once, as a package variable. All methods are
// safe for concurrent use, also after the call has ended.
type Key[T any] struct{ id keyID }

// keyID is what a key is told apart by: its address.
type keyID struct{ name string }

// NewKey makes a key. The name appears in logs and construction errors.
func NewKey[T any](name string) *Key[T] { return &Key[T]{keyID{name}} }

// Name returns the name given to [NewKey].
func (k *Key[T]) Name() string { return k.id.name }

// Set stores v in the call, replacing an earlier value. Outer hooks, inner hooks
// and the handler see it. On a nil call it does nothing.
func (k *Key[T]) Set(call *Call, v T) {
	if call == nil {
		return
	}
	if s, ok := any(v).(string); ok {
		call.setText(&k.id, s)
		return
	}
	call.setValue(&k.id, v)
}

// Get returns the value stored in the call and whether there is one.
func (k *Key[T]) Get(call *Call) (T, bool) {
	v, ok := call.value(&k.id)
	if !ok {
		var zero T
		return zero, false
	}
	if s, is := v.(*text); is {
		t, _ := any(s.string).(T)
		return t, true
	}
	t, _ := v.(T) // a nil interface value stays the zero T
	return t, true
}

// From returns the value stored in the call that ctx belongs to; handlers use it.
func (k *Key[T]) From(ctx context.Context) (T, bool) {
	call, _ := CallFrom(ctx)
	return k.Get(call)
}

// Value returns what [Key.Get] returns, untyped.
func (k *Key[T]) Value(call *Call) (any, bool) {
	v, ok := call.value(&k.id)
	if s, is := v.(*text); is {
		return s.string, true
	}
	return v, ok
}

func (k *Key[T]) sealed() {}

// AnyKey is a [Key] of any type: what [Requirer], [Provider] and the log take.
type AnyKey interface {
	Name() string
	// Value returns the value stored in the call and whether there is one.
	Value(call *Call) (any, bool)
	sealed()
}

// keyValue is a value under its key.
type keyValue struct {
	key   *keyID
	value any
}

// stored is a value that a call keeps. It does not change once it can be found, so
// that whoever asks takes no lock.
type stored struct {
	keyValue
	next *stored // stored before this one
}

// text is a string that a call keeps room for: in an interface it would take an
// allocation, and most calls have an id.
type text struct{ string }

func (c *Call) setText(key *keyID, s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.notesLocked()
	if s == "" || n.firstText.string != "" {
		n.set(key, s)
		return
	}
	n.firstText.string = s
	n.set(key, &n.firstText)
}

func (c *Call) setValue(key *keyID, v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notesLocked().set(key, v)
}

// set stores v instead of what is there under key; the call's mu is held. Only what
// replaces nothing gets some of the room: that is taken for as long as the call lives.
func (n *notes) set(key *keyID, v any) {
	older := n.values.Load()
	if older.find(key) != nil {
		n.values.Store(&stored{keyValue{key, v}, older.without(key)})
		return
	}
	if int(n.usedValues) == len(n.firstValues) {
		n.values.Store(&stored{keyValue{key, v}, older})
		return
	}
	s := &n.firstValues[n.usedValues]
	n.usedValues++
	*s = stored{keyValue{key, v}, older}
	n.values.Store(s)
}

func (c *Call) value(key *keyID) (any, bool) {
	if c == nil {
		return nil, false
	}
	n := c.notes.Load()
	if n == nil {
		return nil, false
	}
	if s := n.values.Load().find(key); s != nil {
		return s.value, true
	}
	return nil, false
}

// find returns what is stored under key, or nil.
func (s *stored) find(key *keyID) *stored {
	for s != nil && s.key != key {
		s = s.next
	}
	return s
}

// without returns s without key, which is in it: others may be reading s, so what
// stands in front of key is copied, and the rest shared.
func (s *stored) without(key *keyID) *stored {
	if s.key == key {
		return s.next
	}
	return &stored{s.keyValue, s.next.without(key)}
}
