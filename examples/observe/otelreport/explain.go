package main

import "regexp"

// explanation says why a difference is meant. It covers the differences whose fact
// it matches, and where theirs and ours are given, only those with these values.
type explanation struct {
	what         string
	fact         string // a regular expression for the whole name
	theirs, ours string // regular expressions; "" for any value
	why          string
}

// absent is what an expression for a value says of a fact that was not reported.
const absent = "^$"

// explanations are in the order in which the page counts them.
var explanations = []explanation{
	{
		what: "One REST call is one span", fact: "span below it, (CLIENT|SERVER)", ours: absent,
		why: "The gateway runs the RPC in the same process, so there is one call that a client made. The inner spans repeat its interval and cost two exports more; " +
			"the RPC that was run is an attribute of the one span instead.",
	},
	{
		what: "One REST call is one point", fact: "metric rpc\\.(client|server)\\.call\\.duration", theirs: "1 in s", ours: absent,
		why: "For the same reason: with a point in each family, totals over both count a REST call twice. The option `RPCMetricsForTranscoded` adds the point for those who chart by RPC.",
	},
	{
		what: "The RPC of a REST call", fact: "span rpc\\.method", theirs: absent,
		why: "The method that grpc-gateway ran, so that spans can be searched by RPC whichever way it was called. It takes the place of the inner spans' attribute.",
	},
	{
		what: "The route of a REST call", fact: "span name|metric http\\.server\\.request\\.duration http\\.route", theirs: "/v1/`$", ours: "/v1/books/\\{id\\}`$",
		why: "otelhttp sees the pattern of the mux around the gateway, which is the same for all of its paths. Here it is the template of the .proto file.",
	},
	{
		what: "`http.route` on spans", fact: "span http\\.route", theirs: absent,
		why: "The conventions want it on the span whenever it is known. otelhttp has it in the name and on metrics alone, so spans cannot be searched by it.",
	},
	{
		what: "`error.type` where the server failed", fact: "(span|metric http\\.server\\.request\\.duration|metric rpc\\.server\\.call\\.duration) error\\.type", theirs: absent,
		why: "The conventions require it of calls that have failed, with the same value on both signals. otelgrpc has it on metrics alone and otelhttp not at all on servers. " +
			"On dashboards, the error rate is the share of points that have the attribute.",
	},
	{
		what: "Whom the client asked for", fact: "span server\\.(address|port)", theirs: "127\\.0\\.0\\.1|PORT",
		why: "`server.address` is the name that the client used, from `:authority`. The address of the socket that otelgrpc reports is the same for every name.",
	},
	{
		what: "The peer of a gRPC call", fact: "span network\\.peer\\.(address|port)", theirs: absent,
		why: "Recommended by the conventions, as on HTTP. `Addresses(false)` leaves all addresses out.",
	},
	{
		what: "Labels that clients choose", fact: "metric http\\.server\\.request\\.duration server\\.(address|port)", ours: absent,
		why: "otelhttp makes the Host header a label, so that a stranger can make as many series as names come to mind; the conventions made it opt-in for that reason. It is on the span.",
	},
	{
		what: "`network.protocol.name`", fact: "metric http\\.server\\.request\\.duration network\\.protocol\\.name", theirs: "http", ours: absent,
		why: "The conventions ask for it only where it is not `http`.",
	},
	{
		what: "Sizes of bodies", fact: "metric http\\.server\\.(request|response)\\.body\\.size|span http\\.response\\.body\\.size", ours: absent,
		why: "Opt-in in the conventions: two histograms more for every route. The option `BodySizes` adds that of responses.",
	},
	{
		what: "Unknown methods are `_OTHER`", fact: "span name|span rpc\\.method|span rpc\\.method_original|spans that never end", theirs: "any\\.Name/AtAll|" + absent, ours: "grpc|_OTHER|any\\.Name/AtAll|" + absent,
		why: "The conventions: a method that is not registered must be `_OTHER` and the span named `grpc`, because anybody can ask for any name. otelgrpc's span of such a call " +
			"has the client's text as its name and never ends, so it is never exported.",
	},
	{
		what: "Calls that no method answered", fact: "metric rpc\\.server\\.call\\.duration|span rpc\\.response\\.status_code", theirs: absent,
		why: "A call of an unknown method is a call like any other: it has a status and is counted. otelgrpc does not see its end.",
	},
	{
		what: "Codes that gRPC does not have", fact: "metric rpc\\.server\\.call\\.duration rpc\\.response\\.status_code", theirs: "CODE\\(77\\)", ours: "_OTHER",
		why: "A handler, or whoever it passes errors on from, can return any of four billion numbers. As a label it is `_OTHER`; the span has the number.",
	},
	{
		what: "Failed calls that otelgrpc and otelhttp take for good ones", fact: "span status|span status description", theirs: "Unset|" + absent, ours: "Error|odd|unknown service",
		why: "Where the server failed, or the exchange was not completed, the span's status is Error: an unknown method (UNIMPLEMENTED), a code that gRPC does not have, a panic, " +
			"`http.ErrAbortHandler`, and a client that left before it had its answer. `CancelIsError(false)` makes the last one Unset.",
	},
	{
		what: "Panics keep their telemetry", fact: "metric http\\.server\\.request\\.duration|span http\\.response\\.status_code", theirs: absent, ours: "1 in s|500",
		why: "A panic that passes through otelhttp takes the metric and the status with it, so the worst requests are those that are not counted. The stack turns a panic " +
			"into the status 500 that the client gets, and it is counted as such; an aborted request is counted without a status.",
	},
	{
		what: "The name of a span that panicked", fact: "span name", theirs: "GET`$", ours: "GET /(panic|abort)`$",
		why: "The same: otelhttp learns the route only when the handler returns.",
	},
	{
		what: "A panic is a log record", fact: "span event|log record",
		why: "Exceptions on span events are deprecated. The record has the stack, and the ids of the span. `http.ErrAbortHandler` is how a handler gives up and no exception.",
	},
	{
		what: "No status that nobody got", fact: "(span|metric http\\.server\\.request\\.duration) http\\.response\\.status_code", theirs: "200", ours: absent,
		why: "The client left before anything was sent. otelhttp reports 200, which hides every timeout of clients among the successes.",
	},
	{
		what: "A REST call of a stranger stays in one piece", fact: "span below it, SERVER, trace", theirs: "another", ours: absent,
		why: "`otelgrpc.WithPublicEndpoint` takes the gateway in the same process for a stranger as well, and begins another trace at the inner span. " +
			"Here there is no inner span, and a call is judged once, where it enters.",
	},
	{
		what: "A stranger's baggage", fact: "baggage that the handler sees", theirs: "gold", ours: absent,
		why: "Under `Restart` baggage is dropped: it would be sent on to every service that the handler calls. The public endpoints of otelgrpc and otelhttp still take it.",
	},
}

// explainedBy returns the index of the first explanation that covers d, or -1.
func (d difference) explainedBy(table []explanation) int {
	for i, e := range table {
		if matches("^(?:"+e.fact+")$", d.fact) && matches(e.theirs, d.theirs) && matches(e.ours, d.ours) {
			return i
		}
	}
	return -1
}

func matches(expr, text string) bool { return regexp.MustCompile(expr).MatchString(text) }
