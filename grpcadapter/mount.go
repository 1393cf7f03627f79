package grpcadapter

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// mount is one request that ServeHTTP hands to grpc-go while an HTTP handler of
// the same stack waits to end the call. grpc-go runs the RPC on a goroutine of
// its own and ServeHTTP may return before that one, so the two sides meet here.
type mount struct {
	shorter bool // hooks gave the request's context an end of its own
	call    *interceptor.Call
	answer  error // what grpc-go answered, once it has

	mu      sync.Mutex
	running bool
	over    bool
	done    chan struct{}
}

type mountKey struct{}

// mountOnce marks a call that ServeHTTP continues: it is armed for one dispatch,
// and whatever is dispatched after it is a call of its own.
var mountOnce = interceptor.NewKey[*mount]("grpcadapter mount")

// armMount arms the call that an HTTP layer of the same stack began for r, if
// there is one, and returns the request to serve. The mount is nil without one.
func (s *Server) armMount(r *http.Request) (*http.Request, *mount) {
	call, ok := interceptor.CallFrom(r.Context())
	if !ok || ops.StackOf(call) != s.core.stack {
		return r, nil
	}
	exchange, ok := ops.Transport(call).(httpwire.Exchange)
	if !ok {
		return r, nil
	}
	if _, again := mountOnce.Get(call); again {
		return r, nil
	}
	m := &mount{call: call, done: make(chan struct{})}
	mountOnce.Set(call, m)
	exchange.BeforeEnd(m.settle)
	s.core.mounted.Store(true)
	ops.Arm(call, r.URL.Path)
	ctx := r.Context()
	if x, ok := exchange.(interface{ Lifetime() context.Context }); ok && x.Lifetime().Done() != ctx.Done() {
		m.shorter = true
		ctx = &outlasting{Context: x.Lifetime(), hooks: ctx}
	}
	return r.WithContext(context.WithValue(ctx, mountKey{}, m)), m
}

// outlasting is the context that hooks returned with the lifetime of the request
// itself. grpc-go drops a request whose context has ended, status and all; a
// hook's deadline is for the handler, and its outcome still has to be sent.
type outlasting struct {
	context.Context // the request's
	hooks           context.Context
}

// Value asks the hooks' context, except for the key by which package context
// finds the nearest cancellable context: that must be the one that ends this.
func (c *outlasting) Value(key any) any {
	if _, ok := key.(*int); ok {
		return c.Context.Value(key)
	}
	return c.hooks.Value(key)
}

// mountLink returns the link to the call that ServeHTTP armed for this dispatch,
// or the zero link. The error is that of a request that is over already.
func (c *core) mountLink(ctx context.Context, fullMethod string) (link, error) {
	if !c.mounted.Load() {
		return link{}, nil
	}
	m, _ := ctx.Value(mountKey{}).(*mount)
	if m == nil {
		return link{}, nil
	}
	call := ops.Claim(ctx, c.stack, fullMethod)
	if call == nil {
		return link{}, nil
	}
	if !m.enter() {
		return link{}, status.Error(codes.Canceled, "the request has ended")
	}
	return link{call: call, mount: m}, nil
}

func (m *mount) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = !m.over
	return m.running
}

func (m *mount) leave() { close(m.done) }

// settle lets no dispatch begin any more and waits for the one that has. The HTTP
// side calls it before it ends the call; the dispatch's context ends with
// ServeHTTP. Where there was none the call does not know what became of it:
// grpc-go refuses some requests by itself, such as those in an unknown encoding,
// and drops a request whose client has left.
func (m *mount) settle() {
	m.mu.Lock()
	m.over = true
	running := m.running
	m.mu.Unlock()
	if running {
		<-m.done
	} else if m.answer != nil && ops.Failed(m.call) == nil {
		_ = ops.Fail(m.call, m.answer, true) // it cannot be changed any more
	}
}

// answerOf returns what a client learns from a response that grpc-go has
// finished, given its headers, which hold the trailers too: nil for success, and
// the end of the request's context if there was no time for a status.
func answerOf(ctx context.Context, h http.Header) error {
	text := h.Get("Grpc-Status")
	if text == "" {
		return ctx.Err()
	}
	code, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return status.Errorf(codes.Unknown, "the gRPC status %q is no number", text)
	}
	message := h.Get("Grpc-Message")
	if decoded, err := url.PathUnescape(message); err == nil {
		message = decoded
	}
	return status.Error(codes.Code(code), message)
}

// mountedMetadata is the metadata of a gRPC call that an HTTP layer began.
func mountedMetadata(call *interceptor.Call) (metadata.MD, bool) {
	exchange, ok := ops.Transport(call).(httpwire.Exchange)
	if !ok {
		return nil, false
	}
	r := exchange.Request()
	md := metadata.MD{":authority": {r.Host}}
	for key, values := range r.Header {
		key = strings.ToLower(key)
		for _, v := range values {
			md.Append(key, decodeBinary(key, v))
		}
	}
	return md, true
}

// decodeBinary decodes a header value as gRPC defines it for keys that end in
// -bin: base64, padded or not.
func decodeBinary(key, value string) string {
	if !strings.HasSuffix(key, "-bin") {
		return value
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil {
		return value // grpc-go refuses the call
	}
	return string(decoded)
}
