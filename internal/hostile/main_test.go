package hostile_test

import (
	"io"
	"log/slog"
	"testing"

	"go.uber.org/goleak"
)

// No goroutine outlives the tests: not of a call, a server or a client.
func TestMain(m *testing.M) {
	// Stacks warn about the method that nobody declared; it is there to be refused.
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	// net/http lingers for half a second on a connection that it closes.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
