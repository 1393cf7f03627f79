package hostile_test

import (
	"slices"
	"testing"
)

// table is every case that is one request and one answer.
func table() []row {
	return slices.Concat(methodRows(), credentialRows(), tokenRows(), accessRows(), streamRows(), bodyRows(), addressRows(), textRows(), browserRows())
}

// TestHostile sends the whole table through every door.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, d := range doors {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, d, options{})
			for _, r := range table() {
				t.Run(r.name, func(t *testing.T) { s.judge(t, r) })
			}
		})
	}
}
