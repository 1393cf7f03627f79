package cors

import (
	"context"
	"net/http"

	rscors "github.com/rs/cors"

	"github.com/crosscut-go/crosscut/interceptor"
)

// New returns the hook that answers preflights and sets the headers of CORS in
// BeforeRequest, over HTTP. It panics without [Origins] or [AnyOrigin], and for
// options that cannot work together, saying what to do.
func New(opts ...Option) interceptor.Hook {
	s := settings{origins: map[string]bool{}}
	for _, o := range opts {
		o.apply(&s)
	}
	s.check()
	return &hook{origins: s.origins, any: s.any, protocol: rscors.New(s.options())}
}

type hook struct {
	interceptor.Base
	origins  map[string]bool
	any      bool
	protocol *rscors.Cors
}

var _ interceptor.Named = (*hook)(nil)

// Name returns "cors".
func (h *hook) Name() string { return "cors" }

const (
	varyActual    = "Origin"
	varyPreflight = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
)

// BeforeRequest answers a preflight, and sets the headers of any other call.
// They are set early so that they survive into errors.
func (h *hook) BeforeRequest(ctx context.Context, call *interceptor.Call) (context.Context, error) {
	if call.Transport() != interceptor.HTTP {
		return ctx, nil
	}
	origins := call.RequestHeader().Values("Origin")
	preflight := len(origins) > 0 && isPreflight(call)
	vary := varyActual
	if preflight {
		vary = varyPreflight
	}
	if err := call.ResponseHeader().SetDefault("Vary", vary); err != nil {
		return nil, err
	}
	if len(origins) == 1 && h.allows(origins[0]) {
		if err := h.setHeaders(call, origins); err != nil {
			return nil, err
		}
	}
	if preflight {
		return ctx, call.ReplyHTTP(http.StatusNoContent, "", nil)
	}
	return ctx, nil
}

// isPreflight tells whether the call is a CORS-preflight request, as far as a
// server can know (Fetch standard, section 3.3.3), given that it has an Origin.
func isPreflight(call *interceptor.Call) bool {
	return call.HTTPMethod() == http.MethodOptions &&
		call.RequestHeader().Get("Access-Control-Request-Method") != ""
}

func (h *hook) allows(origin string) bool { return h.any || h.origins[origin] }

// setHeaders has rs/cors say what to answer to an allowed origin. It only ever
// sees the headers of the protocol.
func (h *hook) setHeaders(call *interceptor.Call, origins []string) error {
	request := http.Header{"Origin": origins}
	for _, key := range [...]string{"Access-Control-Request-Method", "Access-Control-Request-Headers"} {
		if values := call.RequestHeader().Values(key); len(values) > 0 {
			request[key] = values
		}
	}
	answer := headers{}
	h.protocol.HandlerFunc(answer, &http.Request{Method: call.HTTPMethod(), Header: request})
	delete(answer, "Vary") // the hook has set it
	for key, values := range answer {
		for i, v := range values {
			set := call.ResponseHeader().Add
			if i == 0 {
				set = call.ResponseHeader().Set // nobody else may have a say in it
			}
			if err := set(key, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// headers is a response of which only the headers matter.
type headers http.Header

var _ http.ResponseWriter = headers{}

// Header returns the headers.
func (h headers) Header() http.Header { return http.Header(h) }

// Write is not called: the protocol has no bodies.
func (h headers) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader does nothing: the hook answers.
func (h headers) WriteHeader(int) {}
