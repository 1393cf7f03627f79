package logging

import (
	"log/slog"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// DefaultLevel is the level of a call's record unless [Level] or [CodeLevel]
// chooses another: error where the server is broken (Internal, Unknown, DataLoss),
// warn where it could not cope (Unavailable, DeadlineExceeded), and info otherwise.
// What callers do wrong, and that they give up, is no error of the server.
func DefaultLevel(call *interceptor.Call) slog.Level {
	switch call.Code() {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return slog.LevelError
	case codes.Unavailable, codes.DeadlineExceeded:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// levelOf returns the level of a call's record: that of its code, or else what
// the level function says, and for a slow call no less than warn.
func (h *hook) levelOf(call *interceptor.Call, slow bool) slog.Level {
	level, chosen := h.codes[call.Code()]
	if !chosen {
		level = h.level(call)
	}
	if slow {
		level = max(level, slog.LevelWarn)
	}
	return level
}
