package logging

import (
	"log/slog"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// DefaultLevel is the level of a call's record unless [Level] chooses another:
// error where the server is broken (Internal, Unknown, DataLoss), warn where it
// could not cope (Unavailable, DeadlineExceeded), and info otherwise. What callers
// do wrong, and that they give up, is no error of the server.
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
