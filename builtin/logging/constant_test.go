package logging_test

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
)

// counting counts how often attributes are formatted for many records at once.
type counting struct {
	drop
	times *atomic.Int32
}

func (h counting) WithAttrs([]slog.Attr) slog.Handler {
	h.times.Add(1)
	return h
}

// TestConstantsAreFormattedOnce checks that no record pays for what all records of a
// method have in common.
func TestConstantsAreFormattedOnce(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	stack := interceptor.MustNew(logging.New(slog.New(counting{times: &times})))
	call, request := directRPC(t, stack), directHTTP(t, stack)
	var first sync.WaitGroup
	for range 8 {
		first.Go(call)
	}
	first.Wait()
	request()
	if times.Load() != 2 {
		t.Fatalf("an RPC and a route had their attributes formatted %d times, want once each", times.Load())
	}
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(call)
	}
	calls.Wait()
	request()
	if times.Load() != 2 {
		t.Errorf("further calls had theirs formatted again: %d times, want 2", times.Load())
	}
}
