package main

import (
	"strconv"

	"google.golang.org/grpc/codes"
)

// act is what becomes of a call.
type act uint8

const (
	succeed act = iota
	fail
	crash
	refuse
	forge
	stumble
	leave
	expire
	numActs
)

// acts describes every act. The weights make most calls ordinary ones.
var acts = [numActs]struct {
	name   string
	weight int
	code   codes.Code // what the client gets
}{
	succeed: {"answered", 70, codes.OK},
	fail:    {"handler fails", 6, codes.NotFound},
	crash:   {"handler panics", 4, codes.Internal},
	refuse:  {"hook refuses", 4, codes.PermissionDenied},    // before anything has been read
	forge:   {"bad credential", 6, codes.Unauthenticated},   // once the method is known
	stumble: {"hook panics", 2, codes.Internal},             // at the same point
	leave:   {"client cancels", 5, codes.Canceled},          // while the handler waits
	expire:  {"deadline passes", 3, codes.DeadlineExceeded}, // likewise
}

func (a act) String() string { return acts[a].name }

// header is how a client tells the server what is to become of a call.
func (a act) header() string { return strconv.Itoa(int(a)) }

// parseAct is the inverse of header.
func parseAct(s string) (act, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return act(n), err == nil && act(n) < numActs
}
