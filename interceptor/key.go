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
		call.setValue(keyValue{key: &k.id, value: isText{}, text: s})
		return
	}
	call.setValue(keyValue{key: &k.id, value: v})
}

// Get returns the value stored in the call and whether there is one.
func (k *Key[T]) Get(call *Call) (T, bool) {
	kv, ok := call.value(&k.id)
	if !ok {
		var zero T
		return zero, false
	}
	if _, text := kv.value.(isText); text {
		t, _ := any(kv.text).(T)
		return t, true
	}
	t, _ := kv.value.(T) // a nil interface value stays the zero T
	return t, true
}

// From returns the value stored in the call that ctx belongs to; handlers use it.
func (k *Key[T]) From(ctx context.Context) (T, bool) {
	call, _ := CallFrom(ctx)
	return k.Get(call)
}

// Value returns what [Key.Get] returns, untyped.
func (k *Key[T]) Value(call *Call) (any, bool) {
	kv, ok := call.value(&k.id)
	if _, text := kv.value.(isText); text {
		return kv.text, true
	}
	return kv.value, ok
}

func (k *Key[T]) sealed() {}

// AnyKey is a [Key] of any type: what [Requirer], [Provider] and the log take.
type AnyKey interface {
	Name() string
	// Value returns the value stored in the call and whether there is one.
	Value(call *Call) (any, bool)
	sealed()
}

// keyValue is a value under its key. Strings, which most keys hold, are kept apart:
// in an interface each would take an allocation.
type keyValue struct {
	key   *keyID
	value any // isText where it is text
	text  string
}

type isText struct{}

func (c *Call) setValue(kv keyValue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.notesLocked()
	for i := range n.values {
		if n.values[i].key == kv.key {
			n.values[i] = kv
			return
		}
	}
	n.values = append(n.values, kv)
}

func (c *Call) value(key *keyID) (keyValue, bool) {
	if c == nil {
		return keyValue{}, false
	}
	n := c.notes.Load()
	if n == nil {
		return keyValue{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range n.values {
		if n.values[i].key == key {
			return n.values[i], true
		}
	}
	return keyValue{}, false
}
