package logging

import "github.com/crosscut-go/crosscut/interceptor"

// isSlow tells whether the call took longer than it should. How long a stream
// lasts says nothing: clients keep it open for as long as they like.
func (h *hook) isSlow(call *interceptor.Call) bool {
	return h.slow > 0 && call.Duration() > h.slow && !streams(call)
}

func streams(call *interceptor.Call) bool {
	return call.Method().Kind() != interceptor.Unary || call.Flushed()
}
