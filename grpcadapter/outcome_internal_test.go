package grpcadapter

import (
	"testing"
	"time"
)

// TestExpired pins when the end of a context counts as its deadline.
func TestExpired(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	cases := []struct {
		name    string
		timeout time.Duration
		before  time.Duration // how long before the deadline the context ended
		want    bool
	}{
		{"after", time.Second, -time.Nanosecond, true},
		{"at", time.Second, 0, true},
		{"reset a moment early", time.Second, 50 * time.Millisecond, true},
		{"cancelled", time.Second, 200 * time.Millisecond, false},
		{"cancelled in a short call", 10 * time.Millisecond, 2 * time.Millisecond, false},
		{"cancelled in a long call", time.Hour, time.Second, false},
	}
	for _, c := range cases {
		deadline := start.Add(c.timeout)
		if got := expired(start, deadline, deadline.Add(-c.before)); got != c.want {
			t.Errorf("%s: expired = %v, want %v", c.name, got, c.want)
		}
	}
}
