package logging_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestConformance holds the hook to the rules that every hook has to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook {
		return logging.New(slog.New(slog.NewJSONHandler(io.Discard, nil)))
	})
}

// TestOneRecordEverywhere checks that every transport writes one record per call,
// with the code that the client got.
func TestOneRecordEverywhere(t *testing.T) {
	t.Parallel()
	var log strings.Builder // Each makes one call after the other
	hooks := []interceptor.Hook{logging.New(slog.New(slog.NewTextHandler(&log, nil)))}
	interceptortest.Each(t, hooks, interceptortest.Request{}, func(t *testing.T, got interceptortest.Result) {
		record := log.String()
		log.Reset()
		if got.Code != codes.OK || strings.Count(record, "\n") != 1 || !strings.Contains(record, "code=OK") {
			t.Errorf("code %v, records:\n%s", got.Code, record)
		}
	})
}
