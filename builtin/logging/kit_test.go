package logging_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/realip"
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

// TestClientAddress checks that a record tells the address that was verified, and
// has none where realip found none.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{"1.1.1.1, 198.51.100.5": "client_address=198.51.100.5\n", "unknown": ""} {
		var log strings.Builder // Each makes one call after the other
		hooks := []interceptor.Hook{logging.New(slog.New(slog.NewTextHandler(&log, nil))), realip.New(realip.Trust("127.0.0.0/8", "::1"))}
		request := interceptortest.Request{Header: http.Header{"X-Forwarded-For": {header}}}
		interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
			record := log.String()
			log.Reset()
			if strings.HasPrefix(got.Transport, "in-process/") {
				return // it has no address
			}
			if !strings.Contains(record, want) || strings.Contains(record, "client_address") != (want != "") {
				t.Errorf("%q: record %s; want %q", header, record, want)
			}
		})
	}
}
