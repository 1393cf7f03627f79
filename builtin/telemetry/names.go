package telemetry

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"
)

// Every name that this package emits is in this file.
//
// The names are those of the semantic conventions of OpenTelemetry, version
// 1.43.0: https://opentelemetry.io/docs/specs/semconv/.
const (
	scope     = "github.com/crosscut-go/crosscut/builtin/telemetry"
	schemaURL = "https://opentelemetry.io/schemas/1.43.0"

	rpcDuration      = "rpc.server.call.duration"
	httpDuration     = "http.server.request.duration"
	httpActive       = "http.server.active_requests"
	httpResponseSize = "http.server.response.body.size"

	rpcException  = "rpc.server.call.exception"
	httpException = "http.server.request.exception"

	systemGRPC   = "grpc"
	spanUnknown  = "grpc" // the span of a gRPC call whose method is not known
	spanOtherVia = "HTTP" // stands for the HTTP method in span names where it is not known
	other        = "_OTHER"
)

const (
	keyRPCSystem   = attribute.Key("rpc.system.name")
	keyRPCMethod   = attribute.Key("rpc.method")
	keyRPCOriginal = attribute.Key("rpc.method_original")

	keyHTTPMethod   = attribute.Key("http.request.method")
	keyHTTPOriginal = attribute.Key("http.request.method_original")
	keyHTTPRoute    = attribute.Key("http.route")
	keyHTTPStatus   = attribute.Key("http.response.status_code")
	keyURLPath      = attribute.Key("url.path")
	keyURLQuery     = attribute.Key("url.query")
	keyURLScheme    = attribute.Key("url.scheme")
	keyUserAgent    = attribute.Key("user_agent.original")

	keyErrorType     = attribute.Key("error.type")
	keyServerAddress = attribute.Key("server.address")
	keyServerPort    = attribute.Key("server.port")
	keyClientAddress = attribute.Key("client.address")
	keyPeerAddress   = attribute.Key("network.peer.address")
	keyPeerPort      = attribute.Key("network.peer.port")
	keyVersion       = attribute.Key("network.protocol.version")

	keyExceptionType    = attribute.Key("exception.type")
	keyExceptionMessage = attribute.Key("exception.message")
	keyExceptionStack   = attribute.Key("exception.stacktrace")
)

const (
	prefixHTTPRequest  = "http.request.header."
	prefixHTTPResponse = "http.response.header."
	prefixRPCRequest   = "rpc.request.metadata."
	prefixRPCResponse  = "rpc.response.metadata."
)

// Values of error.type for what has no status of its own.
const (
	errorPanic    = "panic"
	errorAborted  = "aborted"
	errorCanceled = "canceled"
	errorDeadline = "deadline_exceeded"
)

// Semconv is a version of the semantic conventions; see [Conventions].
type Semconv uint8

// The versions differ in one name: the status code of an RPC is
// rpc.response.status_code until 1.44 and rpc.status_code from 1.45 on.
const (
	Semconv143 Semconv = iota
	Semconv145
)

func (s Semconv) rpcStatus() attribute.Key {
	if s >= Semconv145 {
		return "rpc.status_code"
	}
	return "rpc.response.status_code"
}

// buckets are the boundaries that the conventions advise for both durations.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// sizeBuckets are the boundaries for body sizes, in bytes: powers of four from
// 256 B to 64 MiB.
var sizeBuckets = []float64{0, 1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26}

// codeNames are the names of the gRPC codes as the conventions spell them.
var codeNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// codeLabel names a code for metrics: what a handler invented is one label.
func codeLabel(c codes.Code) string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return other
}

// codeName names a code for spans.
func codeName(c codes.Code) string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "CODE(" + strconv.FormatUint(uint64(c), 10) + ")"
}
