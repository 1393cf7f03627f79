package grpcadapter

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// heldBody is the body of a request to a mounted server until hooks have agreed to
// the call. Under net/http grpc-go reads ahead, as much as the client may send, and
// without this a stranger's body would be read, and kept, while a hook refuses it.
type heldBody struct {
	io.ReadCloser
	free, closed func() // each once
	freed, over  chan struct{}
}

type heldBodyKey struct{}

func hold(body io.ReadCloser) *heldBody {
	b := &heldBody{ReadCloser: body, freed: make(chan struct{}), over: make(chan struct{})}
	b.free = sync.OnceFunc(func() { close(b.freed) })
	b.closed = sync.OnceFunc(func() { close(b.over) })
	return b
}

// Read waits until the call has been agreed to, or is over: grpc-go then closes the
// body and waits for its reader, which learns from the body itself that it is closed.
func (b *heldBody) Read(p []byte) (int, error) {
	select {
	case <-b.freed:
	case <-b.over:
	}
	return b.ReadCloser.Read(p)
}

// Close ends a waiting Read.
func (b *heldBody) Close() error {
	defer b.closed()
	return b.ReadCloser.Close()
}

// holdBody returns r with its body held, if it goes to a method whose handler is
// wrapped and will free it. What has no hooks in front of decoding is not held: it
// would wait for ever.
func (s *Server) holdBody(r *http.Request) *http.Request {
	if r.Body == nil || s.find(r.URL.Path) == nil {
		return r
	}
	s.core.held.Store(true)
	body := hold(r.Body)
	r = r.WithContext(context.WithValue(r.Context(), heldBodyKey{}, body))
	r.Body = body
	return r
}

// freeBody lets the request's body be read: the hooks have agreed to the call.
func (r *rpc) freeBody() {
	if !r.core.held.Load() {
		return
	}
	if body, ok := r.ctx.Value(heldBodyKey{}).(*heldBody); ok {
		body.free()
	}
}
