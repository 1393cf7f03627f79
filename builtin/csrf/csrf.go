package csrf

import (
	"context"
	"net/http"
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// New returns the hook that refuses cross-origin calls in BeforeHandler, over
// HTTP. It works without options.
func New(opts ...Option) interceptor.Hook {
	s := settings{protection: http.NewCrossOriginProtection(), types: []string{"application/json"}}
	for _, o := range opts {
		o.apply(&s)
	}
	return &hook{protection: s.protection, types: s.types}
}

type hook struct {
	interceptor.Base
	protection *http.CrossOriginProtection
	types      []string // media types of bodies, in lower case
}

var _ interceptor.Named = (*hook)(nil)

// Name returns "csrf".
func (h *hook) Name() string { return "csrf" }

// What clients are told.
const (
	publicCrossOrigin = "cross-origin requests are not allowed"
	publicMediaType   = "the content type must be application/json"
)

// BeforeHandler refuses calls that a page of another origin could have made.
func (h *hook) BeforeHandler(ctx context.Context, call *interceptor.Call, method *interceptor.Method) (context.Context, error) {
	if call.Transport() != interceptor.HTTP || safe(call.HTTPMethod()) && !upgrades(call) {
		return ctx, nil
	}
	authority := authorityOf(call.RequestHeader())
	if authority != token {
		if err := h.checkOrigin(call); err != nil {
			return nil, interceptor.NewError(codes.PermissionDenied, publicCrossOrigin, interceptor.WithCause(err))
		}
	}
	if authority == browser && method.Descriptor() != nil && !h.typed(call) {
		return nil, interceptor.NewError(codes.InvalidArgument, publicMediaType,
			interceptor.WithHTTPStatus(http.StatusUnsupportedMediaType), interceptor.WithCause(errMediaType))
	}
	return ctx, nil
}

// safe tells whether net/http's protection lets requests with the method pass.
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// upgrades tells whether the call asks for another protocol. A page may open a
// WebSocket to any origin, with the visitor's cookies and without asking, and then
// both sends and reads: it is a GET in form only (RFC 6455 section 10.2).
func upgrades(call *interceptor.Call) bool {
	return len(call.RequestHeader().Values("Upgrade")) > 0
}

// noHost stands for a Host that the request has not (HTTP/1.0). An empty one would
// equal that of the origin "null".
const noHost = " "

// checkOrigin shows the protection what it reads of a request: method, host and
// two headers. Without either header there is nothing to object to.
func (h *hook) checkOrigin(call *interceptor.Call) error {
	site := call.RequestHeader().Values("Sec-Fetch-Site")
	origin := call.RequestHeader().Values("Origin")
	if len(site)+len(origin) == 0 {
		return nil
	}
	if len(site) > 1 || len(origin) > 1 {
		return errAmbiguous
	}
	r := &http.Request{
		Method: http.MethodPost, // the method of an upgrade would pass
		Host:   call.Authority(),
		Header: http.Header{"Sec-Fetch-Site": site, "Origin": origin},
	}
	if r.Host == "" {
		r.Host = noHost
	}
	return h.protection.Check(r)
}

// typed tells whether the call says that its body, if it has one, is of a type
// that a page cannot send without asking.
func (h *hook) typed(call *interceptor.Call) bool {
	switch values := call.RequestHeader().Values("Content-Type"); len(values) {
	case 0:
		return call.HTTPMethod() != http.MethodPost || call.RequestHeader().Get("Content-Length") == "0"
	case 1:
		t := mediaType(values[0])
		return isJSON(t) || slices.Contains(h.types, t)
	default:
		return false
	}
}
