package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/semconv/v1.43.0/rpcconv"
	"google.golang.org/grpc/codes"
)

// TestNames holds the table of names to the package that is generated from the
// conventions.
func TestNames(t *testing.T) {
	t.Parallel()
	for own, want := range map[attribute.Key]attribute.Key{
		keyRPCSystem: semconv.RPCSystemNameKey, keyRPCMethod: semconv.RPCMethodKey, keyRPCOriginal: semconv.RPCMethodOriginalKey,
		Semconv143.rpcStatus(): semconv.RPCResponseStatusCodeKey,
		keyHTTPMethod:          semconv.HTTPRequestMethodKey, keyHTTPOriginal: semconv.HTTPRequestMethodOriginalKey,
		keyHTTPRoute: semconv.HTTPRouteKey, keyHTTPStatus: semconv.HTTPResponseStatusCodeKey,
		keyURLPath: semconv.URLPathKey, keyURLQuery: semconv.URLQueryKey, keyURLScheme: semconv.URLSchemeKey,
		keyUserAgent: semconv.UserAgentOriginalKey, keyErrorType: semconv.ErrorTypeKey,
		keyServerAddress: semconv.ServerAddressKey, keyServerPort: semconv.ServerPortKey, keyClientAddress: semconv.ClientAddressKey,
		keyPeerAddress: semconv.NetworkPeerAddressKey, keyPeerPort: semconv.NetworkPeerPortKey, keyVersion: semconv.NetworkProtocolVersionKey,
		keyExceptionType: semconv.ExceptionTypeKey, keyExceptionMessage: semconv.ExceptionMessageKey, keyExceptionStack: semconv.ExceptionStacktraceKey,
		prefixHTTPRequest + "a": semconv.HTTPRequestHeader("a").Key, prefixHTTPResponse + "a": semconv.HTTPResponseHeader("a").Key,
		prefixRPCRequest + "a": semconv.RPCRequestMetadata("a").Key, prefixRPCResponse + "a": semconv.RPCResponseMetadata("a").Key,
	} {
		if own != want {
			t.Errorf("the name %s should be %s", own, want)
		}
	}
	for own, want := range map[string]string{
		schemaURL: semconv.SchemaURL, rpcDuration: rpcconv.ServerCallDuration{}.Name(),
		httpDuration: httpconv.ServerRequestDuration{}.Name(), httpActive: httpconv.ServerActiveRequests{}.Name(),
		httpResponseSize: httpconv.ServerResponseBodySize{}.Name(), other: semconv.ErrorTypeOther.Value.AsString(),
		systemGRPC: semconv.RPCSystemNameGRPC.Value.AsString(),
	} {
		if own != want {
			t.Errorf("the name %s should be %s", own, want)
		}
	}
	if got := Semconv145.rpcStatus(); got != "rpc.status_code" {
		t.Errorf("the status code is %s from 1.45 on", got)
	}
}

// TestCodeNames walks the codes by the names that grpc-go reads in JSON.
func TestCodeNames(t *testing.T) {
	t.Parallel()
	for i, name := range codeNames {
		var c codes.Code
		if err := c.UnmarshalJSON([]byte(`"` + name + `"`)); err != nil || int(c) != i {
			t.Errorf("%d is not named %s: %v, %v", i, name, c, err)
		}
	}
	if codeName(17) != "CODE(17)" || codeLabel(17) != "_OTHER" || codeLabel(1<<32-1) != "_OTHER" {
		t.Errorf("17 is %s and %s", codeName(17), codeLabel(17))
	}
}

// TestSeriesAreBounded fills the cache, which then gives the same sets without
// keeping them.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	c := &setCache{statusKey: "code"}
	first := httpTarget("GET", "/first", "")
	_ = c.find(first, seriesKey{status: 1}, nil, appendHTTPLabels)
	for i := range 2 * maxSeries {
		_ = c.find(httpTarget("GET", "/a", ""), seriesKey{status: i}, nil, appendHTTPLabels)
	}
	late := httpTarget("GET", "/late", "")
	opts := c.find(late, seriesKey{status: 200, scheme: "http"}, nil, appendHTTPLabels)
	if c.kept != maxSeries || late.known(seriesKey{status: 200, scheme: "http"}) != nil || len(opts) != 1 {
		t.Errorf("%d sets are kept, want %d", c.kept, maxSeries)
	}
	if first.known(seriesKey{status: 1}) == nil {
		t.Error("a set that was kept is gone")
	}
}
