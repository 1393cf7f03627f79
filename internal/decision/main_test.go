package decision_test

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"
)

// TestMain keeps the warnings about undeclared methods out of the output: there are thousands of them, on purpose.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}
