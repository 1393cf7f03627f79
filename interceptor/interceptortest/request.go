package interceptortest

import (
	"context"
	"net/http"
	"time"
)

// Request is a call that [Each] and [Run] send on every transport. The zero
// Request is a call without headers that the handler answers.
type Request struct {
	// Authority is the host that the client asks for: Host over HTTP/1.1,
	// :authority over HTTP/2. By default it is the address of the server.
	Authority string

	// Header are the request headers, or on gRPC the metadata. Keys are
	// case-insensitive.
	Header http.Header

	// Message is the text in the request message, or the body of a plain route.
	// The handler sends it back. It must be valid UTF-8.
	Message string

	// Timeout is when the client gives up; on gRPC servers know it as the
	// deadline. The default is long enough for any test.
	Timeout time.Duration

	// Handler runs inside the handler, after it has received the request and
	// before it answers. The handler returns the error of Handler. It may panic.
	// The default does nothing.
	Handler func(ctx context.Context) error

	// ResponseHeader are headers that the handler sets before Handler runs.
	ResponseHeader http.Header
}

// exchange is the request as clients send it.
func (r Request) exchange() exchange {
	return exchange{header: r.Header, text: r.Message, timeout: r.Timeout}
}

// handle is the handler: it answers with the text of the request.
func (r Request) handle(h *handling) error {
	for key, values := range r.ResponseHeader {
		for _, v := range values {
			h.header(key, v)
		}
	}
	if r.Handler != nil {
		if err := r.Handler(h.ctx); err != nil {
			return err
		}
	}
	return h.send(h.text)
}
