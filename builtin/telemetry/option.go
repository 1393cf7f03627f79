package telemetry

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Option changes what [New] does.
type Option interface{ apply(*settings) }

type option func(*settings)

func (f option) apply(s *settings) { f(s) }

// settings are what options change.
type settings struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	loggers    log.LoggerProvider
	propagator propagation.TextMapPropagator

	filter        func(*interceptor.Call) Signals
	classifier    func(*interceptor.Call) (string, bool)
	origin        func(*interceptor.Call) Origin
	cancelSet     bool
	cancelIsError bool
	messages      bool
	addresses     bool
	rpcForREST    bool
	inProcess     trace.SpanStartOption
	headers       capture
	query         query
	path          func(string) string
	metricKeys    map[attribute.Key]*limit
	statusKey     attribute.Key
	verbs         []string
	proxied       []string
	buckets       []float64
	active        bool
	sizes         bool
}

// defaultVerbs are the HTTP methods that the conventions know: RFC 9110, PATCH of
// RFC 5789, and QUERY.
var defaultVerbs = []string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY"}

func defaults() settings {
	return settings{
		messages: true, addresses: true, inProcess: serverKind,
		metricKeys: map[attribute.Key]*limit{}, statusKey: Semconv143.rpcStatus(),
		verbs: verbsFromEnvironment(), buckets: buckets,
	}
}

// verbsFromEnvironment reads the list that the conventions require every
// instrumentation to heed.
func verbsFromEnvironment() []string {
	var verbs []string
	for v := range strings.SplitSeq(os.Getenv("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"), ",") {
		if v = strings.TrimSpace(v); v != "" {
			verbs = append(verbs, v)
		}
	}
	if verbs == nil {
		return defaultVerbs
	}
	return verbs
}

// build makes what calls use of the settings. The globals that stand in for
// missing providers delegate to whatever is set later.
func (h *hook) build() {
	if h.tracers == nil {
		h.tracers = otel.GetTracerProvider()
	}
	if h.meters == nil {
		h.meters = otel.GetMeterProvider()
	}
	if h.loggers == nil {
		h.loggers = otel.GetLoggerProvider()
	}
	if h.propagator == nil {
		h.propagator = otel.GetTextMapPropagator()
	}
	h.tracer = h.tracers.Tracer(scope, trace.WithSchemaURL(schemaURL))
	_, h.silent = h.tracer.(noop.Tracer)
	h.logger = h.loggers.Logger(scope, log.WithSchemaURL(schemaURL))
	h.targets.build(h.verbs, h.proxied)
	h.instruments.build(&h.settings)
}

// TracerProvider gives the tracer provider. The default, also for nil, is the
// global one, whichever is set when the first call arrives. The last one given
// counts.
func TracerProvider(provider trace.TracerProvider) Option {
	return option(func(s *settings) { s.tracers = provider })
}

// MeterProvider gives the meter provider. The default, also for nil, is the
// global one. The last one given counts.
func MeterProvider(provider metric.MeterProvider) Option {
	return option(func(s *settings) { s.meters = provider })
}

// LoggerProvider gives the provider of the logger that records of panics go to.
// The default, also for nil, is the global one. The last one given counts.
func LoggerProvider(provider log.LoggerProvider) Option {
	return option(func(s *settings) { s.loggers = provider })
}

// Propagator gives what reads the callers' trace headers. The default, also for
// nil, is the global one, which reads nothing until the program calls
// otel.SetTextMapPropagator. The last one given counts; it has no effect under
// [Ignore]. Propagators that search all headers for a prefix find nothing.
func Propagator(propagator propagation.TextMapPropagator) Option {
	return option(func(s *settings) { s.propagator = propagator })
}

// Classifier decides, instead of [DefaultClassifier], which calls have failed and
// what their error.type is, on every transport. It is called once per call that has a
// span or a point, in AfterResponse, by many goroutines at once. errorType appears on the span and on
// the metric and must come from a small set: metrics take 64 values beyond those
// of DefaultClassifier and then say _OTHER. It is ignored where isError is false,
// and _OTHER where it is empty. The last one given counts; nil is the default.
func Classifier(classify func(call *interceptor.Call) (errorType string, isError bool)) Option {
	return option(func(s *settings) { s.classifier = classify })
}

// CancelIsError settles whether a call that its client cancelled has failed,
// where the conventions disagree: by default it has on HTTP, if the response was
// not a stream, and has not on gRPC. The last one given counts; it has no effect
// with a [Classifier].
func CancelIsError(isError bool) Option {
	return option(func(s *settings) { s.cancelSet, s.cancelIsError = true, isError })
}

// StatusMessages says whether the message of a failed gRPC call, as its client
// got it, becomes the description of the span's status. The default is true;
// switch it off if your messages hold users' data. It has no effect on HTTP,
// where descriptions are empty. The last one given counts.
func StatusMessages(on bool) Option {
	return option(func(s *settings) { s.messages = on })
}

// Addresses says whether spans tell the addresses of clients and peers, which
// are personal data in some places. The default is true; metrics never have any.
// The last one given counts.
func Addresses(on bool) Option {
	return option(func(s *settings) { s.addresses = on })
}

// Buckets gives the boundaries of the duration histograms, in seconds and
// ascending. The default is what the conventions advise, 5 ms to 10 s. The last
// one given counts; a view of the SDK overrides it.
func Buckets(boundaries ...float64) Option {
	if len(boundaries) == 0 || !slices.IsSorted(boundaries) {
		panic(fmt.Sprintf("telemetry.Buckets(%v): give the boundaries in seconds, in ascending order", boundaries))
	}
	return option(func(s *settings) { s.buckets = slices.Clone(boundaries) })
}

// KnownMethods gives all HTTP methods that are told apart; every other one is
// _OTHER. The default is what the environment variable
// OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS lists when New is called, or else the
// methods of RFC 9110, PATCH and QUERY. Names are case-sensitive. The last one
// given counts.
func KnownMethods(methods ...string) Option {
	if len(methods) == 0 || slices.Contains(methods, "") {
		panic("telemetry.KnownMethods: list every HTTP method that your service answers, such as GET and POST")
	}
	return option(func(s *settings) { s.verbs = slices.Clone(methods) })
}

// ProxiedMethods names the RPCs, as "/pkg.Service/Method", that a handler of the
// program's own for unknown services answers, such as that of a proxy. By default
// all that it answers is _OTHER, because a client can ask it for any name.
// Repeating the option adds names.
func ProxiedMethods(names ...string) Option {
	for _, name := range names {
		if !strings.HasPrefix(name, "/") || strings.Count(name, "/") != 2 {
			panic(fmt.Sprintf("telemetry.ProxiedMethods: %q is not the full name of a method, such as /pkg.Service/Method", name))
		}
	}
	return option(func(s *settings) { s.proxied = append(s.proxied, names...) })
}

// Conventions chooses the version of the semantic conventions that names are of,
// where they have changed. The default is [Semconv143]. The last one given counts.
func Conventions(version Semconv) Option {
	return option(func(s *settings) { s.statusKey = version.rpcStatus() })
}

// MetricKeys lists the keys of attributes that, given to [Add], go on metrics as
// well. Every different value is a series of its own for every method: list only
// keys with few values, such as a plan or a region. Each key can have 64 values;
// what comes after them is _OTHER. Repeating the option adds keys. The default is
// none.
func MetricKeys(keys ...attribute.Key) Option {
	return option(func(s *settings) {
		for _, k := range keys {
			if k == "" {
				panic("telemetry.MetricKeys: a key is empty; leave it out")
			}
			s.metricKeys[k] = &limit{}
		}
	})
}

// RPCMetricsForTranscoded counts a REST call that grpc-gateway turned into an RPC
// in rpc.server.call.duration as well, for those who chart by RPC whichever way
// it was called. By default it is counted in http.server.request.duration alone,
// because totals over both would count it twice. Repeating it changes nothing.
func RPCMetricsForTranscoded() Option {
	return option(func(s *settings) { s.rpcForREST = true })
}

// ActiveRequests adds the metric http.server.active_requests: the HTTP requests
// that are being answered. It is off by default. Repeating it changes nothing.
func ActiveRequests() Option { return option(func(s *settings) { s.active = true }) }

// BodySizes adds the metric http.server.response.body.size, in bytes. It is off
// by default. Repeating it changes nothing.
func BodySizes() Option { return option(func(s *settings) { s.sizes = true }) }

// InternalInProcess gives calls that a handler makes through the in-process
// connection spans of the kind INTERNAL rather than SERVER, for back ends that
// count every SERVER span as a request. Repeating it changes nothing; REST calls
// are not concerned, since their span is that of the HTTP request.
func InternalInProcess() Option {
	return option(func(s *settings) { s.inProcess = internalKind })
}

var (
	serverKind   = trace.WithSpanKind(trace.SpanKindServer)
	internalKind = trace.WithSpanKind(trace.SpanKindInternal)
)

// kind returns the kind of a call's span.
func (s *settings) kind(call *interceptor.Call) trace.SpanStartOption {
	if call.Protocol() == "" { // as of an in-process call, see interceptor.Call
		return s.inProcess
	}
	return serverKind
}

// Origin is what trusted proxies tell about a request, for [Forwarded]. An empty
// field stands for what the connection itself tells.
type Origin struct {
	Client string // the address of the client, for client.address
	Host   string // the host that the client asked for, with its port if it named one
	Scheme string // "http" or "https"
}

var noOrigin Origin

// Forwarded gives the function that finds out what trusted proxies say about a
// request. It is called in BeforeRequest, once per call that somebody collects
// anything of, by many goroutines at once. Believe headers such as X-Forwarded-Host only if the peer is a proxy of
// your own. By default nothing that a client can write is believed; the client's
// address is the one that package realip has verified, if it is listed before, and
// otherwise the peer's. The last one given counts; nil is the default.
func Forwarded(origin func(call *interceptor.Call) Origin) Option {
	return option(func(s *settings) { s.origin = origin })
}
