package telemetry

import (
	"net/textproto"

	"go.opentelemetry.io/otel/propagation"

	"github.com/crosscut-go/crosscut/interceptor"
)

// carrier is a call as propagators read its request headers, key by key.
type carrier interceptor.Call

var (
	_ propagation.TextMapCarrier = (*carrier)(nil)
	_ propagation.ValuesGetter   = (*carrier)(nil)
)

// Get returns the first value of key.
func (c *carrier) Get(key string) string {
	call := (*interceptor.Call)(c)
	return call.RequestHeader().Get(spelled(call, key))
}

// Values returns all values of key: baggage may be split over several headers.
func (c *carrier) Values(key string) []string {
	call := (*interceptor.Call)(c)
	return call.RequestHeader().Values(spelled(call, key))
}

// Set does nothing: a request that has arrived is not written to.
func (c *carrier) Set(string, string) {}

// Keys returns nothing: a call tells the values of a key, not its keys.
// Propagators that look for keys by a prefix find none.
func (c *carrier) Keys() []string { return nil }

// canonical are the keys of the usual propagators as HTTP spells them. Any
// spelling would do, but folding one takes an allocation each time.
var canonical = func() map[string]string {
	m := map[string]string{}
	for _, key := range []string{
		"traceparent", "tracestate", "baggage", // W3C
		"b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid",
		"uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context", "user-agent",
	} {
		m[key] = textproto.CanonicalMIMEHeaderKey(key)
	}
	return m
}()

// spelled returns key in the spelling of the call's transport.
func spelled(call *interceptor.Call, key string) string {
	if call.Transport() == interceptor.HTTP {
		if c, ok := canonical[key]; ok {
			return c
		}
	}
	return key
}
