package logging

import (
	"log/slog"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
)

const (
	maxAttrs = 16 // room for the attributes of most calls; more take an allocation

	// Whatever a client may choose has a limit, so that nobody can fill a disk
	// with one request.
	maxName  = 256
	maxValue = 1 << 10
	maxError = 4 << 10
)

// appendCall adds the attributes that a record may have after the constants of its
// method, in the order that the package comment lists them.
func appendCall(attrs []slog.Attr, call *interceptor.Call) []slog.Attr {
	attrs = append(attrs, slog.String("code", call.Code().String()))
	if status := call.HTTPStatus(); status != 0 {
		attrs = append(attrs, slog.Int("http_status", status))
	}
	attrs = append(attrs, slog.Duration("duration", call.Duration()))
	attrs = appendCounts(attrs, call)
	attrs = appendCaller(attrs, call)
	if call.Denied() {
		attrs = append(attrs, slog.Bool("denied", true))
	}
	if call.Method() == nil {
		if path := call.Path(); path != "" {
			attrs = append(attrs, slog.String("path", cut(path, maxName)))
		}
	}
	if err := call.Err(); err != nil {
		attrs = append(attrs, slog.String("error", errorText(call, err)))
	}
	return attrs
}

func appendCounts(attrs []slog.Attr, call *interceptor.Call) []slog.Attr {
	received, sent := call.Received(), call.Sent()
	if !call.Method().Plain() { // those have no messages
		attrs = append(attrs, slog.Int64("received", received.Messages), slog.Int64("sent", sent.Messages))
	}
	if received.Bytes >= 0 {
		attrs = append(attrs, slog.Int64("received_bytes", received.Bytes))
	}
	if sent.Bytes >= 0 {
		attrs = append(attrs, slog.Int64("sent_bytes", sent.Bytes))
	}
	return attrs
}

func appendCaller(attrs []slog.Attr, call *interceptor.Call) []slog.Attr {
	if from := address(call); from != "" {
		attrs = append(attrs, slog.String("peer", cut(from, maxName)))
	}
	if addr, ok := realip.Key.Get(call); ok {
		attrs = append(attrs, slog.String("client_address", addr.String()))
	}
	if id, ok := requestid.Key.Get(call); ok {
		attrs = append(attrs, slog.String("request_id", cut(id, maxName)))
	}
	attrs = appendTrace(attrs, call)
	if p, ok := authn.Key.Get(call); ok && p != nil {
		attrs = append(attrs, slog.String("principal", cut(p.Subject(), maxName)))
	}
	return attrs
}

// address returns the other end of the connection as text.
func address(call *interceptor.Call) string {
	if from := call.RemoteAddr(); from != "" {
		return from
	}
	if addr := call.Peer().Addr; addr != nil {
		return addr.String()
	}
	return ""
}

func appendKey(attrs []slog.Attr, call *interceptor.Call, key interceptor.AnyKey) []slog.Attr {
	v, ok := key.Value(call)
	if !ok {
		return attrs
	}
	return append(attrs, safe(slog.Any(key.Name(), v), maxValue))
}
