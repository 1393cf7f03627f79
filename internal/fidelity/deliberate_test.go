package fidelity_test

import (
	"fmt"
	"strings"
)

// deliberate is one difference that is meant to be.
type deliberate struct {
	name    string // of the case
	variant string // a part of the variants it holds for; "" is all of them
	reason  string
	bare    []string // what only the bare server's side says
	wrapped []string // what only the wrapped server's side says
}

// differences are all that a wrapped server does otherwise on purpose.
var differences = []deliberate{}

// deliberateFor returns the entry for a result, or nil.
func deliberateFor(got result) *deliberate {
	for i, d := range differences {
		if d.name == got.name && strings.Contains(got.variant, d.variant) {
			return &differences[i]
		}
	}
	return nil
}

// describes tells whether diff is this difference and nothing else.
func (d *deliberate) describes(diff string) bool {
	bare, wrapped := d.bare, d.wrapped
	for line := range strings.Lines(strings.TrimPrefix(diff, "\n")) {
		line = strings.TrimSpace(line)
		side := &wrapped
		if strings.HasPrefix(line, "-") {
			side = &bare
		}
		if len(*side) == 0 || !strings.Contains(line, (*side)[0]) {
			return false
		}
		*side = (*side)[1:]
	}
	return len(bare)+len(wrapped) == 0
}

func listOfDeliberate() string {
	var out strings.Builder
	for _, d := range differences {
		fmt.Fprintf(&out, "\t%s: %s\n", d.name, d.reason)
	}
	return out.String()
}
