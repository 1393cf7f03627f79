package interceptor_test

import (
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// TestStringsInKeys: strings are kept in another way than other values, and nobody
// can tell.
func TestStringsInKeys(t *testing.T) {
	t.Parallel()
	type name string
	text, named, anything := interceptor.NewKey[string]("text"), interceptor.NewKey[name]("named"), interceptor.NewKey[any]("anything")
	stack, _ := build(t)
	c := new(callT)
	ops.Begin(c, stack, t.Context(), &wire{kind: driver.GRPC})
	for _, s := range []string{"one", "", "two"} {
		text.Set(c, s)
		named.Set(c, name(s))
		anything.Set(c, s)
		v, ok := text.Value(c)
		if got, has := text.Get(c); got != s || !has || v != s || !ok {
			t.Errorf("a string is %q, %v and %v, %v; want %q", got, has, v, ok, s)
		}
		if got, has := named.Get(c); got != name(s) || !has {
			t.Errorf("a named string is %q, %v; want %q", got, has, s)
		}
		if got, has := anything.Get(c); got != s || !has {
			t.Errorf("a string in an interface is %v, %v; want %q", got, has, s)
		}
	}
	anything.Set(c, 7)
	if got, ok := anything.Get(c); got != 7 || !ok {
		t.Errorf("a number after a string is %v, %v", got, ok)
	}
	anything.Set(c, nil)
	if got, ok := anything.Get(c); got != nil || !ok {
		t.Errorf("nil after a number is %v, %v", got, ok)
	}
	if v, ok := interceptor.NewKey[string]("text").Value(c); v != nil || ok {
		t.Errorf("a key without a value has %v, %v", v, ok)
	}
}

// TestStringsApart: keys that hold strings keep their own, also where one is empty and
// where one changes.
func TestStringsApart(t *testing.T) {
	t.Parallel()
	stack, _ := build(t)
	keys := []*interceptor.Key[string]{interceptor.NewKey[string]("0"), interceptor.NewKey[string]("1"), interceptor.NewKey[string]("2")}
	for _, values := range [][]string{{"a", "b", "c"}, {"", "b", "c"}, {"a", "", "c"}} {
		c := new(callT)
		ops.Begin(c, stack, t.Context(), &wire{kind: driver.GRPC})
		check := func(want ...string) {
			t.Helper()
			for i, key := range keys {
				if got, ok := key.Get(c); got != want[i] || !ok {
					t.Errorf("%q: key %d has %q, %v, want %q", values, i, got, ok, want[i])
				}
			}
		}
		for i, key := range keys {
			key.Set(c, values[i])
		}
		check(values...)
		keys[0].Set(c, "another")
		check("another", values[1], values[2])
	}
}

// TestStringsInKeysAllocations: the first string of a call costs nothing beyond the
// call's notes.
func TestStringsInKeysAllocations(t *testing.T) { // not parallel: it counts allocations
	key, stack := interceptor.NewKey[string]("text"), noops(t, 0)
	long := string(make([]byte, 100))
	run := func(uses func(*callT)) float64 {
		return testing.AllocsPerRun(200, func() {
			c := new(callT)
			ops.Begin(c, stack, t.Context(), &quietWire{})
			uses(c)
			ops.End(c, 0)
		})
	}
	notes := run(func(c *callT) { interceptor.NewKey[*int]("pointer").Set(c, nil) })
	if n := run(func(c *callT) {
		key.Set(c, long)
		if got, _ := key.Get(c); got != long {
			t.Error("the string is another one")
		}
	}); n > notes {
		t.Errorf("%v allocations with a string, %v with a pointer", n, notes)
	}
}
