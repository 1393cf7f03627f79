package benchmarks_test

import (
	"log/slog"
	"os"
	"runtime"
	"testing"

	"github.com/crosscut-go/crosscut/benchmarks/rig"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ballast := rig.Ballast()
	code := m.Run()
	runtime.KeepAlive(ballast)
	os.Exit(code)
}
