package interceptortest

import "google.golang.org/grpc/codes"

// difference is a deliberate difference of some transports from what a scenario
// expects everywhere.
type difference struct {
	scenarios []string // by name
	on        func(*way) bool
	skip      bool        // the scenario cannot happen there
	want      string      // another trace
	code      *codes.Code // another code
	because   string
}

// on1 returns the scenario as it is expected on a way.
func (sc *scenario) on1(w *way) (*scenario, *difference) {
	return sc, nil
}
