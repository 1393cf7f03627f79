package grpcadapter

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// rpc is one dispatch: the adapter's half of its call and, when the dispatch is
// a call of its own, the call itself. One allocation holds both and what the
// kind of method needs.
type rpc struct {
	own   interceptor.Call
	call  *interceptor.Call // &own, or the call that a link continues
	mount *mount            // of the link

	core   *core
	target *target // nil for an unknown method
	ctx    context.Context
	wire   grpc.ServerTransportStream // nil if a test calls a handler without one

	flags   flags
	settled bool        // the answer stands; else a panic or Goexit got past it
	unary   *unaryState // one of these two is set
	flow    *flow

	metadata atomic.Pointer[metadataState] // nil until a hook touches a header
}

// flags are facts of a dispatch that any goroutine may ask for.
type flags struct{ atomic.Uint32 }

const (
	// dispatching is set while grpc-go's interceptors run for this dispatch: the
	// layers of the same stack among them then know that the stack is running.
	dispatching uint32 = 1 << iota
	// How the keys of the request metadata are spelled, once it has been looked at;
	// see incomingValues.
	lowerKeys
	mixedKeys
)

func (f *flags) has(which uint32) bool { return f.Load()&which != 0 }

// dispatch tells whether grpc-go's interceptors run from here on.
func (f *flags) dispatch(on bool) {
	if on {
		f.Or(dispatching)
	} else {
		f.And(^dispatching)
	}
}

// metadataState is what hooks have done to the metadata of a call; most calls
// need none.
type metadataState struct {
	mu       sync.Mutex
	deleted  []string // request headers, in lower case
	headers  handedOver
	trailers *handedOver // nil until a hook sets one
}

// lockMetadata locks and returns the state; the caller unlocks it.
func (r *rpc) lockMetadata() *metadataState {
	state := r.metadata.Load()
	if state == nil {
		r.metadata.CompareAndSwap(nil, new(metadataState))
		state = r.metadata.Load()
	}
	state.mu.Lock()
	return state
}

// deleted returns the request headers that hooks have deleted.
func (r *rpc) deleted() []string {
	state := r.metadata.Load()
	if state == nil {
		return nil
	}
	state.mu.Lock()
	defer state.mu.Unlock()
	return state.deleted
}

var (
	_ driver.Transport = (*rpc)(nil)
	_ driver.Responder = (*rpc)(nil)
)

// begin makes the dispatch the runner of its call, beginning one if the link has
// none.
func (r *rpc) begin(l link) {
	if l.call != nil {
		r.call, r.mount = l.call, l.mount
		ops.Swap(r.call, r)
		return
	}
	r.call = &r.own
	ops.Begin(&r.own, r.core.stack, r.ctx, r)
}

func (r *rpc) linked() bool { return r.call != &r.own }

// transcoded tells whether the bytes on the wire are those of an HTTP body, which
// the HTTP side counts. Those of a mounted server are gRPC's.
func (r *rpc) transcoded() bool { return r.linked() && r.mount == nil }

// inProcess tells whether the dispatch has no wire: its errors reach the client
// as they are returned, and nothing is sent before that.
func (r *rpc) inProcess() bool {
	_, ok := r.wire.(encoder)
	return ok
}

// admit runs the phases before the handler. It tells whether the handler may
// run; if not, the call has failed or holds a reply.
func (r *rpc) admit() bool {
	if !r.linked() && !ops.Request(r.call) {
		if ops.Answered(r.call) != nil {
			ops.Resolve(r.call, r.target.method, "") // the reply must suit the method
		}
		return false
	}
	return ops.Resolve(r.call, r.target.method, "")
}

// handlerContext returns what the handler's side receives: the context of the
// innermost hook, with the transport's facts, without deleted metadata. before
// is what ops.Inner returned before the method was resolved here.
func (r *rpc) handlerContext(before context.Context) context.Context {
	ctx := ops.Inner(r.call)
	switch {
	case r.linked():
		dispatch := r.ctx
		if ctx.Done() != before.Done() || r.mount != nil && r.mount.shorter {
			dispatch = linkedLifetime(dispatch, ctx, r.call)
		}
		r.hideWhatTheOuterLayerHid()
		ctx = &linkedContext{Context: dispatch, hooks: ctx, rpc: r}
	case r.target != nil && r.target.nested:
		ctx = context.WithValue(ctx, rpcKey{r.core.stack}, r)
	}
	return r.withoutDeleted(ctx)
}

// Kind is that of every call begun here.
func (r *rpc) Kind() driver.Kind { return driver.GRPC }

// Protocol is "2" on the wire; a call made in process has none.
func (r *rpc) Protocol() string {
	if r.inProcess() {
		return ""
	}
	return "2"
}

// Path is the full method name as it was sent.
func (r *rpc) Path() string {
	if r.flow != nil {
		return r.flow.path
	}
	return r.target.method.Name()
}

// Authority is the :authority pseudo header, which grpc-go keeps in the metadata.
func (r *rpc) Authority() string {
	if v := r.incomingValues(":authority"); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Scheme tells by the connection, never by what the client sent.
func (r *rpc) Scheme() string {
	if r.inProcess() {
		return ""
	}
	if p, ok := peer.FromContext(r.ctx); ok {
		if _, secure := p.AuthInfo.(credentials.TLSInfo); secure {
			return "https"
		}
	}
	return "http"
}

// RemoteAddr returns the other end's address without looking at TLS.
func (r *rpc) RemoteAddr() string {
	p, ok := peer.FromContext(r.ctx)
	if !ok {
		return ""
	}
	return driver.AddrText(remoteOf(p))
}

// HTTPMethod is "": gRPC is always POST.
func (r *rpc) HTTPMethod() string { return "" }

// Peer reads what the transport and its credentials left in the context.
func (r *rpc) Peer() driver.Peer {
	p, ok := peer.FromContext(r.ctx)
	if !ok {
		return driver.Peer{}
	}
	who := driver.Peer{Remote: remoteOf(p), Local: p.LocalAddr}
	if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
		state := info.State // of its own, so that calls without TLS allocate nothing
		who.TLS = &state
	}
	return who
}

// remoteOf returns the address of the other end. Under net/http grpc-go knows it as
// text only; hooks that decide by it need the address. On a Unix socket the text is a
// name that the client has chosen, which may look like an address.
func remoteOf(p *peer.Peer) net.Addr {
	if p.Addr == nil || p.Addr.Network() != "tcp" {
		return p.Addr
	}
	if _, ok := p.Addr.(*net.TCPAddr); ok {
		return p.Addr
	}
	if _, unix := p.LocalAddr.(*net.UnixAddr); unix {
		return p.Addr
	}
	if addr, err := netip.ParseAddrPort(p.Addr.String()); err == nil {
		return net.TCPAddrFromAddrPort(addr)
	}
	return p.Addr
}

// RequestHeader reads one key, without copying the others.
func (r *rpc) RequestHeader(key string) []string {
	key = strings.ToLower(key) // a key in lower case is found without a scan
	if slices.Contains(r.deleted(), key) {
		return nil
	}
	return r.incomingValues(key)
}

// DeleteRequestHeader hides key; withoutDeleted takes it from the handler's
// metadata.
func (r *rpc) DeleteRequestHeader(key string) {
	key = strings.ToLower(key)
	state := r.lockMetadata()
	defer state.mu.Unlock()
	if !slices.Contains(state.deleted, key) {
		state.deleted = append(state.deleted[:len(state.deleted):len(state.deleted)], key) // readers keep theirs
	}
}

// withoutDeleted returns ctx such that its incoming metadata lacks the deleted
// keys.
func (r *rpc) withoutDeleted(ctx context.Context) context.Context {
	deleted := r.deleted()
	if len(deleted) == 0 {
		return ctx
	}
	md, ok := metadata.FromIncomingContext(ctx)
	if !ok {
		return ctx
	}
	for _, key := range deleted {
		md.Delete(key)
	}
	return metadata.NewIncomingContext(ctx, md)
}

// hideWhatTheOuterLayerHid deletes the metadata of a mounted server's call whose
// HTTP header a hook has deleted since grpc-go copied it.
func (r *rpc) hideWhatTheOuterLayerHid() {
	if r.mount == nil {
		return
	}
	outer := ops.Transport(r.call)
	for key := range incoming(r.ctx) {
		if !strings.HasPrefix(key, ":") && len(outer.RequestHeader(key)) == 0 {
			r.DeleteRequestHeader(key)
		}
	}
}

// MetadataFrom returns a copy of the request metadata of a gRPC call as its
// handler would see it, without what hooks deleted. It reports false for calls
// that did not arrive over gRPC, transcoded ones among them: what hooks share
// across transports is [interceptor.Call.RequestHeader]. It may be called from
// any goroutine, also after the call has ended.
func MetadataFrom(call *interceptor.Call) (metadata.MD, bool) {
	if call == nil || call.Transport() != interceptor.GRPC {
		return nil, false
	}
	if r, ok := ops.Transport(call).(*rpc); ok {
		md, ok := metadata.FromIncomingContext(r.withoutDeleted(r.ctx))
		return md, ok
	}
	return mountedMetadata(call)
}
