package logging

import (
	"log/slog"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// sampling keeps one of n records of successes. It counts per method, so that a
// method that is rarely called is in the log beside one that is always called, and
// two that take turns cannot hide one another. It does not go by the id of the
// request or the trace: clients may choose those, and must not choose which of
// their calls leave no record.
type sampling struct {
	n     uint64
	count func(*interceptor.Method) *atomic.Uint64
}

func newSampling(n int) *sampling {
	return &sampling{
		n:     uint64(n), //nolint:gosec // Sample refuses numbers below 1
		count: interceptor.PerMethod(func(*interceptor.Method) *atomic.Uint64 { return new(atomic.Uint64) }),
	}
}

// keep tells whether the call's record is written: the first of a method, and
// every n-th after it.
func (s *sampling) keep(call *interceptor.Call) bool {
	return (s.count(call.Method()).Add(1)-1)%s.n == 0
}

// ordinary tells whether nobody would miss the call's record: a success that has no
// level above info, as slow ones have. A refusal may be a success by its code, such
// as a redirect to a login page.
func ordinary(call *interceptor.Call, level slog.Level) bool {
	return call.Code() == codes.OK && !call.Denied() && level <= slog.LevelInfo
}
