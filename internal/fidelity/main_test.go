package fidelity_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No goroutine outlives the tests: not of a call, a server or a client.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
