// Package telemetry makes a span and a point of the duration histogram of every
// call, whichever transport carried it, with the names and rules of the semantic
// conventions of OpenTelemetry.
//
// The hook made by [New] replaces otelgrpc, otelhttp and what joins them. It needs
// OpenTelemetry's API alone: which SDK there is, and where it exports to, is the
// program's choice. Until the program has set providers nothing is reported, and
// until it has called otel.SetTextMapPropagator no caller's trace is joined, which
// is the most common reason for traces in pieces.
//
//	otel.SetTracerProvider(…)
//	otel.SetMeterProvider(…)
//	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
//	stack := interceptor.MustNew(requestid.New(), telemetry.New(telemetry.Restart), logging.New(slog.Default()))
//
// # Whose trace it is
//
// A trace header is a request to the server: to use this trace id, to pay for this
// span, to carry this baggage on. New therefore asks what callers are worth:
// [Continue] for services among themselves, [Restart] for strangers, [Ignore], or
// a [TrustFunc]. A REST call's traceparent arrives as that header alone; what a
// client sends as Grpc-Metadata-Traceparent is no trace header on any transport.
//
// # Spans
//
// A span of the kind SERVER lasts from the first hook to the last byte, exactly as
// long as the histogram says.
//
//	            gRPC                             HTTP, REST included
//	name        pkg.Service/Method, grpc         GET /v1/items/{id}, GET, HTTP
//	what ran    rpc.system.name, rpc.method      http.request.method, http.route,
//	                                             of a REST call also rpc.method
//	outcome     rpc.response.status_code         http.response.status_code, if one was sent
//	            error.type                       error.type
//	asked for   server.address, server.port      the same, url.scheme, url.path,
//	                                             user_agent.original
//	by whom     network.peer.address, .port      the same, client.address
//	HTTP                                         network.protocol.version
//
// A REST call that runs an RPC through the in-process connection is one call, and
// so it is one HTTP span; over a connection to anything else it is two. An RPC or
// HTTP method that is not registered or not known is _OTHER, and what the client
// sent is in rpc.method_original or http.request.method_original of the span.
// Which calls have failed is in [DefaultClassifier]. A panic is a log record of
// OpenTelemetry's as well, rpc.server.call.exception or
// http.server.request.exception, with its stack.
//
// Hooks and handlers add attributes with [Add].
//
// # Metrics
//
// rpc.server.call.duration and http.server.request.duration are histograms in
// seconds. Their attributes are the method and route, the status, error.type, and
// on HTTP url.scheme and network.protocol.version. Nothing that a client can choose
// freely is among them: the number of series depends on what is registered. Points
// are recorded with the span's context, so exemplars lead from a slow bucket to a
// trace. Calls that are not sampled are counted like all others.
//
// # Logs
//
// Package logging adds trace_id, span_id and trace_flags to the record of a call
// by itself; [LogHandler] adds them to the records of the program.
//
// # What never appears
//
// Bodies and messages, headers that were not listed by [RequestHeaders], queries
// (unless [Query] asks for them, redacted), and the text of errors that was not
// written for clients. Only the record of a panic quotes what was passed to it.
//
// # Order
//
// List it first, or behind realip and requestid: what hooks listed before it
// refuse in BeforeRequest has no span, and hooks and handlers behind it run in the
// span's context.
//
// # Cost and limits
//
// Where tracer and meters are OpenTelemetry's no-op ones and no [Filter] is set, the
// hook keeps no record of a call: it passes a trusted caller's trace on to the handler
// and the log, reports panics, and takes no allocation for a call without a trace.
// Where no providers have been set at all, which others may do at any time, it takes 7
// allocations for a gRPC call and 9 for an HTTP request. A call that begins while nobody
// collects anything is not counted by who begins to meanwhile.
//
// Spans are as complete as the call is told about: calls that no hook sees, such as
// those that grpc-go answers for a malformed method name, have none, and response
// headers are recorded only as far as hooks have set them.
package telemetry
