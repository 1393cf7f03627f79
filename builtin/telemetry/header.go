package telemetry

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/crosscut-go/crosscut/interceptor"
)

// maxValues is how many values of one header are recorded.
const maxValues = 16

// RequestHeaders records these request headers on spans, as
// http.request.header.<name> and, of metadata, rpc.request.metadata.<name>, with
// all their values as a list of strings. By default none is recorded. Repeating
// the option adds headers.
//
// It panics for headers that hold credentials, such as Authorization and Cookie,
// and for binary metadata. The list of what is refused cannot know every
// header: do not record what you would not print.
func RequestHeaders(names ...string) Option {
	mustBeHarmless("RequestHeaders", names)
	return option(func(s *settings) {
		s.headers.request = appendCaptured(s.headers.request, names, prefixHTTPRequest, prefixRPCRequest)
	})
}

// ResponseHeaders records these response headers on spans, as
// http.response.header.<name> and rpc.response.metadata.<name>. Only what hooks
// have set is known, not what the handler has. In all else it is like
// [RequestHeaders].
func ResponseHeaders(names ...string) Option {
	mustBeHarmless("ResponseHeaders", names)
	return option(func(s *settings) {
		s.headers.response = appendCaptured(s.headers.response, names, prefixHTTPResponse, prefixRPCResponse)
	})
}

// capture lists the headers to record.
type capture struct{ request, response []captured }

type captured struct {
	name     string // in lower case, as metadata
	http     string // as HTTP spells it
	httpAttr attribute.Key
	rpcAttr  attribute.Key
}

func appendCaptured(list []captured, names []string, http, rpc string) []captured {
	for _, name := range names {
		name = strings.ToLower(name)
		if slices.ContainsFunc(list, func(c captured) bool { return c.name == name }) {
			continue
		}
		list = append(list, captured{
			name: name, http: textproto.CanonicalMIMEHeaderKey(name),
			httpAttr: attribute.Key(http + name), rpcAttr: attribute.Key(rpc + name),
		})
	}
	return list
}

func (c *capture) appendRequest(attrs []attribute.KeyValue, call *interceptor.Call) []attribute.KeyValue {
	return appendHeaders(attrs, c.request, call, call.RequestHeader().Values)
}

func (c *capture) appendResponse(attrs []attribute.KeyValue, call *interceptor.Call) []attribute.KeyValue {
	return appendHeaders(attrs, c.response, call, call.ResponseHeader().Values)
}

func appendHeaders(attrs []attribute.KeyValue, list []captured, call *interceptor.Call, values func(string) []string) []attribute.KeyValue {
	for _, c := range list {
		name, key := c.name, c.rpcAttr
		if call.Transport() == interceptor.HTTP {
			name, key = c.http, c.httpAttr
		}
		if found := values(name); len(found) > 0 {
			attrs = append(attrs, key.StringSlice(bounded(found)))
		}
	}
	return attrs
}

// bounded copies values as far as a span should hold what clients send.
func bounded(values []string) []string {
	out := slices.Clone(values[:min(len(values), maxValues)])
	for i, v := range out {
		out[i] = cut(v, maxText)
	}
	return out
}

// credentialWords give away headers that hold credentials. They are looked for
// in names without dashes and underscores.
var credentialWords = []string{
	"auth", "cookie", "token", "secret", "password", "passwd", "apikey", "accesskey", "credential", "session",
	"signature", "csrf", "xsrf", "jwt", "assertion", "clientcert",
}

// mustBeHarmless panics for names that must not be recorded.
func mustBeHarmless(what string, names []string) {
	for _, name := range names {
		plain := strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(name))
		switch {
		case plain == "" || strings.ContainsAny(name, " \t\r\n:"):
			panic(fmt.Sprintf("telemetry.%s: %q is not the name of a header", what, name))
		case strings.HasSuffix(strings.ToLower(name), "-bin"):
			panic(fmt.Sprintf("telemetry.%s: %s is binary metadata, which an attribute cannot hold; leave it out", what, name))
		case slices.ContainsFunc(credentialWords, func(w string) bool { return strings.Contains(plain, w) }):
			panic(fmt.Sprintf("telemetry.%s: %s may hold credentials, and traces are read by many; leave it out, or have a hook of your own give what is harmless of it to telemetry.Add", what, name))
		}
	}
}
