package secureheaders

import (
	"context"
	"time"

	"github.com/crosscut-go/crosscut/interceptor"
)

// New returns the hook that sets the headers in BeforeRequest, over HTTP. It works
// without options. It panics for options that cannot work together, naming the
// rule.
func New(opts ...Option) interceptor.Hook {
	s := settings{
		hsts:      hsts{maxAge: year},
		referrer:  "strict-origin-when-cross-origin",
		frame:     "DENY",
		content:   "frame-ancestors 'none'",
		opener:    "same-origin",
		resources: "same-origin",
	}
	for _, o := range opts {
		o.apply(&s)
	}
	s.hsts.check()
	return &hook{headers: s.headers(), hsts: s.hsts.value(), always: s.hsts.behindProxy}
}

const year = 365 * 24 * time.Hour

type hook struct {
	interceptor.Base
	headers []header
	hsts    string // "" for none
	always  bool   // also where this server's own connection has no TLS
}

type header struct{ key, value string }

var _ interceptor.Named = (*hook)(nil)

// Name returns "secureheaders".
func (h *hook) Name() string { return "secureheaders" }

// BeforeRequest sets the headers: what is set early survives into every answer.
func (h *hook) BeforeRequest(ctx context.Context, call *interceptor.Call) (context.Context, error) {
	if call.Transport() != interceptor.HTTP {
		return ctx, nil
	}
	response := call.ResponseHeader()
	for i := range h.headers {
		if err := response.SetDefault(h.headers[i].key, h.headers[i].value); err != nil {
			return nil, err
		}
	}
	if h.hsts != "" && (h.always || call.Scheme() == "https") {
		if err := response.SetDefault("Strict-Transport-Security", h.hsts); err != nil {
			return nil, err
		}
	}
	return ctx, nil
}
