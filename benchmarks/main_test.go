package benchmarks_test

import (
	"log/slog"
	"os"
	"testing"
)

// TestMain keeps what libraries tell operators out of the measurements' way.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
