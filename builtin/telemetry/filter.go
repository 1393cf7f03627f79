package telemetry

import (
	"slices"
	"strings"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Signals are kinds of telemetry, for [Filter].
type Signals uint8

// The signals that a filter can drop. The logs of panics are never dropped.
const (
	Traces Signals = 1 << iota
	Metrics
)

// Filter drops signals of the calls for which drop returns them. It is called in
// BeforeRequest, once per call, by many goroutines at once, when headers, path and
// peer are known but neither method nor route. A call without a span still takes part in its
// caller's trace under [Continue]: what the handler sends on carries the
// caller's ids. By default nothing is dropped. The last one given counts; nil is
// the default.
func Filter(drop func(call *interceptor.Call) Signals) Option {
	return option(func(s *settings) { s.filter = drop })
}

// Probes returns a function for [Filter] that drops both signals of health checks
// and reflection on gRPC, and of HTTP requests to the given paths: exactly these,
// or, for one that ends in a slash, all below it.
func Probes(paths ...string) func(call *interceptor.Call) Signals {
	for _, p := range paths {
		if !strings.HasPrefix(p, "/") {
			panic("telemetry.Probes: the path " + p + " does not begin with a slash; give paths as requests have them, such as /healthz")
		}
	}
	paths = slices.Clone(paths)
	return func(call *interceptor.Call) Signals {
		candidates := paths
		if call.Transport() != interceptor.HTTP {
			candidates = probeServices
		}
		path := call.Path()
		for _, p := range candidates {
			if path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) {
				return Traces | Metrics
			}
		}
		return 0
	}
}

var probeServices = []string{
	"/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/",
}
