package requestid

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/textproto"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// DefaultHeader is the header that carries the id unless [Header] names another.
const DefaultHeader = "X-Request-Id"

// MaxLen is the length in bytes of the longest id that is accepted.
const MaxLen = 128

// Key holds the id of a call from the moment the hook's BeforeRequest has run.
// Handlers read it with Key.From(ctx), hooks with Key.Get(call).
var Key = interceptor.NewKey[string]("request_id")

// New returns the hook that sets [Key] and the response header in BeforeRequest,
// on every transport. It works without options. It panics for options that
// cannot work, naming the rule.
func New(opts ...Option) interceptor.Hook {
	h := &hook{generate: rand.Text}
	h.name(DefaultHeader)
	for _, o := range opts {
		o.apply(h)
	}
	return h
}

type hook struct {
	interceptor.Base
	header   string // as HTTP spells it
	metadata string // as gRPC spells it
	ignore   bool   // what the client sent
	generate func() string
}

var (
	_ interceptor.Named    = (*hook)(nil)
	_ interceptor.Provider = (*hook)(nil)
)

// Name returns "requestid".
func (h *hook) Name() string { return "requestid" }

// Provides returns [Key].
func (h *hook) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{Key} }

// BeforeRequest settles the id. The response header is set at once because what
// is set early survives into every answer, errors and refusals included.
func (h *hook) BeforeRequest(ctx context.Context, call *interceptor.Call) (context.Context, error) {
	id, ok := h.inbound(call)
	if !ok {
		if id = h.generate(); !Valid(id) {
			return nil, errBadGenerator(id)
		}
	}
	Key.Set(call, id)
	if err := call.ResponseHeader().Set(h.key(call), id); err != nil {
		return nil, err
	}
	return ctx, nil
}

// inbound returns the client's id if it is the only one and a sane one.
func (h *hook) inbound(call *interceptor.Call) (string, bool) {
	if h.ignore {
		return "", false
	}
	values := call.RequestHeader().Values(h.key(call))
	if len(values) != 1 || !Valid(values[0]) {
		return "", false
	}
	return values[0], true
}

func (h *hook) name(header string) {
	h.header, h.metadata = textproto.CanonicalMIMEHeaderKey(header), strings.ToLower(header)
}

// key returns the header's name in the spelling of the call's transport. Any
// would do, but folding it takes an allocation each time.
func (h *hook) key(call *interceptor.Call) string {
	if call.Transport() == interceptor.GRPC {
		return h.metadata
	}
	return h.header
}

// errBadGenerator fails the call: an id that cannot be echoed and logged as it is
// would be a different one in every place.
func errBadGenerator(id string) error {
	cause := fmt.Errorf("requestid: the function given to Generator returned %.*q; return 1 to %d letters, digits or any of - _ . : = + ~, beginning with a letter or a digit", MaxLen, id, MaxLen)
	return interceptor.NewError(codes.Internal, "internal error", interceptor.WithCause(cause))
}
