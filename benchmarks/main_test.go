package benchmarks_test

import (
	"log/slog"
	"os"
	"runtime"
	"testing"
)

// held is how much memory the process holds, as a small server does. With next to
// none the garbage collector would run every few thousand calls, and its cost, and
// when it strikes, would hide what is measured.
const held = 64 << 20

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ballast := make([]byte, held)
	code := m.Run()
	runtime.KeepAlive(ballast)
	os.Exit(code)
}
