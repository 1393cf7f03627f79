package telemetry

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/crosscut-go/crosscut/internal/clientaddr"
)

// maxOriginal is where an HTTP method that nobody knows is cut.
const maxOriginal = 64

// startHTTP adds what is known of an HTTP call before it is routed.
func (r *record) startHTTP(attrs []attribute.KeyValue) []attribute.KeyValue {
	h, call := r.hook, r.call
	if r.target == h.targets.otherVerb {
		attrs = append(attrs, keyHTTPOriginal.String(cut(call.HTTPMethod(), maxOriginal)))
	}
	scheme := r.scheme()
	attrs = append(attrs, keyURLPath.String(cut(h.rewritten(call.Path()), maxText)), keyURLScheme.String(scheme))
	if query := h.query.of(call); query != "" {
		attrs = append(attrs, keyURLQuery.String(query))
	}
	attrs = appendServer(attrs, r.authority(), scheme)
	if client := r.client(); client != "" {
		attrs = append(attrs, keyClientAddress.String(client))
	}
	if agent := call.RequestHeader().Get("User-Agent"); agent != "" {
		attrs = append(attrs, keyUserAgent.String(cut(agent, maxText)))
	}
	return attrs
}

// client is who sent the request, behind proxies as far as they are trusted.
func (r *record) client() string {
	if !r.hook.addresses {
		return ""
	}
	if r.origin.Client != "" {
		return cut(r.origin.Client, maxText)
	}
	if verified, ok := clientaddr.Key.Get(r.call); ok {
		return verified.String()
	}
	return r.findPeer().host
}

// endHTTP adds how an HTTP call has ended.
func (r *record) endHTTP(attrs []attribute.KeyValue) []attribute.KeyValue {
	if status := sentStatus(r.call); status != 0 {
		attrs = append(attrs, keyHTTPStatus.Int(status))
	}
	if version := versionLabel(r.call.Protocol()); version != "" {
		attrs = append(attrs, keyVersion.String(version))
	}
	if r.target.rpc != "" {
		attrs = append(attrs, keyRPCMethod.String(r.target.rpc))
	}
	return attrs
}

// versionLabel lets only the versions of HTTP that there are pass.
func versionLabel(version string) string {
	switch version {
	case "1.0", "1.1", "2", "3":
		return version
	}
	return ""
}

// schemeLabel lets only the schemes of HTTP that there are pass.
func schemeLabel(scheme string) string {
	if scheme == schemeHTTPS {
		return schemeHTTPS
	}
	return schemeHTTP
}
