package telemetry_test

import (
	"testing"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestConformance holds the hook to the rules that every hook has to keep, with
// everything switched on.
func TestConformance(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	interceptortest.Run(t, func() interceptor.Hook {
		return s.hook(telemetry.Restart, telemetry.ActiveRequests(), telemetry.BodySizes(), telemetry.RPCMetricsForTranscoded(),
			telemetry.RequestHeaders("X-Tenant"), telemetry.ResponseHeaders("X-Interceptortest-Handler"))
	})
}

// TestConformanceWithoutSDK is a program that has set no providers.
func TestConformanceWithoutSDK(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return telemetry.New(telemetry.Continue) })
}
