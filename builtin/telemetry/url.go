package telemetry

import (
	"net/url"
	"slices"
	"strings"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Path rewrites the path of an HTTP request before it becomes url.path, for
// paths that hold secrets such as reset tokens. It gets the path as the client
// sent it. The default records it as it is. The last one given counts; nil is the
// default. Span names and metrics have the route, never the path.
func Path(rewrite func(path string) string) Option {
	return option(func(s *settings) { s.path = rewrite })
}

func (s *settings) rewritten(path string) string {
	if s.path == nil {
		return path
	}
	return s.path(path)
}

// Query records the query of HTTP requests as url.query. The conventions ask for
// it, but queries hold what nobody meant to publish, so it is off by default.
//
// raw returns the query of a call, without the question mark; over HTTP that is
// URL.RawQuery of the request that httpadapter.RequestFrom finds. redact tells
// for which keys the value is replaced by REDACTED; nil stands for
// [SensitiveQueryKey]. Return true for everything to record keys alone. The last
// one given counts.
func Query(raw func(call *interceptor.Call) string, redact func(key string) bool) Option {
	if raw == nil {
		panic("telemetry.Query: raw is nil; pass a function that returns the query of a call")
	}
	if redact == nil {
		redact = SensitiveQueryKey
	}
	return option(func(s *settings) { s.query = query{raw, redact} })
}

// SensitiveQueryKey tells whether the conventions name key as one whose value
// must not be recorded. Keys are case-sensitive.
func SensitiveQueryKey(key string) bool { return slices.Contains(sensitiveKeys, key) }

var sensitiveKeys = []string{
	"X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature",
}

// query finds and redacts queries; the zero query finds none.
type query struct {
	raw    func(*interceptor.Call) string
	redact func(string) bool
}

func (q query) of(call *interceptor.Call) string {
	if q.raw == nil {
		return ""
	}
	return cut(q.redacted(q.raw(call)), maxText)
}

// redacted keeps the keys of a query and replaces the values that must not be
// seen. Keys are compared as they were sent and as they are meant: an escaped
// letter hides nothing.
func (q query) redacted(raw string) string {
	if raw == "" {
		return ""
	}
	var b strings.Builder
	for i, pair := range strings.FieldsFunc(raw, func(r rune) bool { return r == '&' || r == ';' }) {
		if i > 0 {
			b.WriteByte('&')
		}
		key, value, has := strings.Cut(pair, "=")
		b.WriteString(key)
		if !has {
			continue
		}
		if q.redact(key) || q.redact(unescaped(key)) {
			value = "REDACTED"
		}
		b.WriteByte('=')
		b.WriteString(value)
	}
	return b.String()
}

func unescaped(key string) string {
	if plain, err := url.QueryUnescape(key); err == nil {
		return plain
	}
	return key
}
