package main

import "math"

// path names a benchmark, and the one that is the same without what is measured;
// what the first takes more than the second is what was added. Without a base the
// whole call counts.
type path struct{ name, base string }

// limit is the most that a measurement may be.
type limit struct {
	unit     string
	max      float64
	relative bool    // to theirs, a ratio; otherwise in the unit
	per      float64 // what a call consists of, such as messages; 0 for one
}

// row is a line of the table of budgets.
type row struct {
	what   string
	beside string // what it is compared with, or "" for none
	ours   path
	theirs path
	limits []limit
}

const (
	ns     = "ns/op"
	allocs = "allocs/op"
	cpuNs  = "cpu-ns/op" // of all goroutines, what the kernel did for them included
)

// unlimited is for what has no budget and is there to compare.
var unlimited = math.Inf(1)

func ratio(limitation float64) limit   { return limit{unit: ns, max: limitation, relative: true} }
func time(nanoseconds float64) limit   { return limit{unit: ns, max: nanoseconds} }
func allocations(most float64) limit   { return limit{unit: allocs, max: most} }
func each(n float64, most limit) limit { most.per = n; return most }
func added(name, base string) path     { return path{name, base} }
func whole(name string) path           { return path{name: name} }
func all(limits ...limit) []limit      { return limits }
func memory(bytesPerStream int) limit  { return limit{unit: "B/stream", max: float64(bytesPerStream)} }
func direct(name string) path          { return added("RPCDirect/"+name, "RPCDirect/bare") }
func loopback(name string) path        { return added("RPCLoopback/"+name, "RPCLoopback/bare") }
func webDirect(name, base string) path { return added("HTTPDirect/"+name, "HTTPDirect/"+base) }
func stream(name, way string) path {
	return added("StreamDirect/crosscut/"+name+"/"+way, "StreamDirect/crosscut/empty/"+way)
}
func webTelemetry(name string) path       { return added("Telemetry/http/"+name, "Telemetry/http/bare") }
func rpcTelemetry(name string) path       { return added("Telemetry/grpc/"+name, "Telemetry/grpc/bare") }
func statsTelemetry(provider string) path { return whole("Telemetry/grpc/otelgrpc/" + provider) }

// rows are the budgets. A person reads whether they are met: a busy machine may miss
// one that an idle one meets.
var rows = []row{
	{"gRPC unary, direct, W5 added", "go-grpc-middleware", direct("crosscut/W5"), direct("go-grpc-middleware/W5"), all(ratio(0.30), allocations(10))},
	{"gRPC unary, loopback, W6 added", "go-grpc-middleware, otelgrpc", loopback("crosscut/W6"), loopback("go-grpc-middleware/W6"), all(ratio(0.25), allocations(25))},
	{"net/http, direct, W5 added", "chi, slog", webDirect("crosscut/W5", "bare"), webDirect("chi/W5", "bare-chi"), all(ratio(1.0), allocations(8))},
	{"the same", "chi, slog, the line with the same attributes", webDirect("crosscut/W5", "bare"), webDirect("chi-same-line/W5", "bare-chi"), all(ratio(unlimited))},
	{"net/http, direct, W6 added", "chi, slog, otelhttp", webDirect("crosscut/W6", "bare"), webDirect("chi/W6", "bare-chi"), all(ratio(0.45), allocations(14))},
	{"REST, W6, whole request", "a gateway dialling its own server, go-grpc-middleware, otelgrpc, otelhttp", whole("REST/crosscut/W6"), whole("REST/endpoint-go-grpc-middleware/W6"), all(ratio(0.15))},
	{"REST, W6, whole request", "HandlerServer, chi, otelhttp: no RPC hooks, no streams", whole("REST/crosscut/W6"), whole("REST/HandlerServer-chi/W6"), all(ratio(1.0))},
	{"REST, W6, whole request", "HandlerServer with nothing installed", whole("REST/crosscut/W6"), whole("REST/HandlerServer-bare"), all(ratio(1.5), allocations(125))},
	{"in-process connection, empty stack, through the gateway", "grpchan inprocgrpc with nothing installed", whole("REST/crosscut-empty"), whole("REST/grpchan-bare"), all(ratio(0.75))},
	{"empty stack added, gRPC unary, direct", "", direct("crosscut/empty"), path{}, all(time(300), allocations(3))},
	{"empty stack added, gRPC unary, loopback", "", loopback("crosscut/empty"), path{}, all(allocations(6))},
	{"empty stack added, net/http, direct", "", webDirect("crosscut/empty", "bare"), path{}, all(time(450), allocations(3))},
	{"each message sent on a stream, one MessageHook", "", stream("message-hook", "send"), path{}, all(each(1000, time(40)), each(1000, allocations(0)))},
	{"each message received on a stream, one MessageHook", "", stream("message-hook", "receive"), path{}, all(each(1000, time(40)), each(1000, allocations(0)))},
	{"gRPC unary, direct, W5 added", "one function written by hand", direct("crosscut/W5"), direct("fused/W5"), all(ratio(1.25))},
	{"net/http, direct, W5 added", "one function written by hand", webDirect("crosscut/W5", "bare"), webDirect("fused/W5", "bare"), all(ratio(1.25))},
	{"an idle open stream, empty stack added", "", added("IdleStream/crosscut/empty", "IdleStream/bare"), path{}, all(memory(1024))},
	{"telemetry alone, gRPC, no-op providers", "otelgrpc", rpcTelemetry("crosscut/no-op"), statsTelemetry("no-op"), all(ratio(0.5))},
	{"telemetry alone, gRPC, always on", "otelgrpc", rpcTelemetry("crosscut/always"), statsTelemetry("always"), all(ratio(0.5))},
	{"the same, no-op providers", "otelgrpc with the events that grpc-go makes for it", rpcTelemetry("crosscut/no-op"), whole("Telemetry/grpc/otelgrpc-with-events/no-op"), all(ratio(unlimited))},
	{"the same, always on", "otelgrpc with the events that grpc-go makes for it", rpcTelemetry("crosscut/always"), whole("Telemetry/grpc/otelgrpc-with-events/always"), all(ratio(unlimited))},
	{"telemetry alone, net/http, no-op providers", "otelhttp", webTelemetry("crosscut/no-op"), webTelemetry("otelhttp/no-op"), all(ratio(0.5))},
	{"telemetry alone, net/http, always on", "otelhttp", webTelemetry("crosscut/always"), webTelemetry("otelhttp/always"), all(ratio(0.7))},
	{"10,000 registered methods, whole call", "10 methods", whole("Methods/crosscut/10000"), whole("Methods/crosscut/10"), all(ratio(1.1))},
	{"10,000 routes, whole request", "10 routes", whole("Routes/crosscut/10000"), whole("Routes/crosscut/10"), all(ratio(1.1))},
}

// slopes are the benchmarks whose cost grows with a number, and by how much it may.
var slopes = []struct {
	what, name string
	most       float64 // ns for each, 0 without a budget
}{
	{"each further no-op hook, gRPC", "Hooks/grpc", 12},
	{"each further no-op hook, net/http", "Hooks/http", 12},
	{"each further no-op hook, REST", "Hooks/rest", 12},
	{"the three phases of a no-op hook, called by themselves", "Hooks/calls", 0},
}
