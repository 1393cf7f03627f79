package hostile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

// waiting are the cases that nothing answers yet, because no hook of this module
// enforces what they are about.
var waiting = map[string]string{
	"H46": "the inflated size of a message: needs a hook for limits",
	"H49": "the size of a REST body: needs a hook for limits",
	"H50": "deadlines above the server's own: needs a hook for timeouts",
	"H51": "size and number of headers: needs a server that is set up for them",
	"H52": "its limit; that a stranger's headers do not change an address is held",
	"H54": "the memory of a limiter: needs one",
}

// TestUnwrapped sends the table to the same service without a stack. What passes there
// too is what the libraries do by themselves, and no proof of anything here.
func TestUnwrapped(t *testing.T) {
	t.Parallel()
	passed, all := map[string][]string{}, 0
	var rows []string
	for _, d := range []door{wire, mounted, rest, inside, plain} {
		s := newSite(t, d, options{bare: true})
		for _, r := range table() {
			a, want, ok := r.over(d)
			if !ok || want.code == codes.OK && want.status == 200 || want.runs {
				continue
			}
			all++
			if a.open {
				continue // it waits for the rest, as long as the client likes
			}
			before := s.service.handled.Load()
			if got := s.client().ask(a); same(d, got, want) && s.service.handled.Load() == before {
				if passed[r.name] == nil {
					rows = append(rows, r.name)
				}
				passed[r.name] = append(passed[r.name], string(d))
			}
		}
	}
	var table strings.Builder
	n := 0
	for _, name := range rows {
		n += len(passed[name])
		fmt.Fprintf(&table, "\n  %-50s %s", name, strings.Join(passed[name], ""))
	}
	for _, name := range slices.Sorted(maps.Keys(waiting)) {
		fmt.Fprintf(&table, "\n  %-50s waits: %s", name, waiting[name])
	}
	t.Logf("%d of %d refusals are made without a stack too:%s", n, all, table.String())
	if n*2 > all {
		t.Errorf("%d of %d refusals need no stack: the table proves little", n, all)
	}
}

// same tells whether an answer is as an outcome says, texts aside.
func same(d door, got reply, want outcome) bool {
	switch {
	case want.reset != nil:
		return got.reset != nil && *got.reset == *want.reset
	case want.closed || got.closed:
		return want.closed == got.closed
	case d.rpc() && !want.plain:
		return got.code() == want.code
	}
	return got.status == want.status
}
