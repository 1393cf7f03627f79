package interceptor

import "testing"

// TestReplacedValues: what replaces a value takes its place, so that a value which
// changes for every message of a stream does not make a call grow.
func TestReplacedValues(t *testing.T) {
	t.Parallel()
	keys := []*Key[int]{NewKey[int]("one"), NewKey[int]("two"), NewKey[int]("three")}
	c := new(Call)
	for n := range 100 {
		for i, key := range keys[:1+n%len(keys)] {
			key.Set(c, n+i)
		}
	}
	for i, want := range []int{99, 99, 100} {
		if got, ok := keys[i].Get(c); !ok || got != want {
			t.Errorf("key %d has %d, %v, want %d", i, got, ok, want)
		}
	}
	length := 0
	for s := c.notes.Load().values.Load(); s != nil; s = s.next {
		length++
	}
	if length != len(keys) {
		t.Errorf("%d values are stored under %d keys", length, len(keys))
	}
}
