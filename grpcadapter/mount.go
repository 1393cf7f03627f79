package grpcadapter

import (
	"context"
	"encoding/base64"
	"net/http"
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
// there is one, and returns the request to serve.
func (s *Server) armMount(r *http.Request) *http.Request {
	call, ok := interceptor.CallFrom(r.Context())
	if !ok || ops.StackOf(call) != s.core.stack {
		return r
	}
	exchange, ok := ops.Transport(call).(httpwire.Exchange)
	if !ok {
		return r
	}
	if _, again := mountOnce.Get(call); again {
		return r
	}
	m := &mount{done: make(chan struct{})}
	mountOnce.Set(call, m)
	exchange.BeforeEnd(m.close)
	s.core.mounted.Store(true)
	ops.Arm(call, r.URL.Path)
	ctx := r.Context()
	if x, ok := exchange.(interface{ Lifetime() context.Context }); ok && x.Lifetime().Done() != ctx.Done() {
		m.shorter = true
		ctx = &outlasting{Context: x.Lifetime(), hooks: ctx}
	}
	return r.WithContext(context.WithValue(ctx, mountKey{}, m))
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

// close lets no dispatch begin any more and waits for the one that has. The HTTP
// side calls it before it ends the call; the dispatch's context ends with
// ServeHTTP.
func (m *mount) close() {
	m.mu.Lock()
	m.over = true
	running := m.running
	m.mu.Unlock()
	if running {
		<-m.done
	}
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
