package grpcadapter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// handedOver is how far the headers, or trailers, that hooks set have gone to
// the transport. grpc-go only ever adds to what it holds, so a key that was
// handed over can get more values but not change.
type handedOver struct {
	upTo int // operations before this one have gone, defaults excepted
	keys []string
	all  bool // defaults have gone as well

	firstKeys, firstValues [2]string // room for the first that go
}

// room returns where values that are about to go may be put. Only the first to
// hand over gets some: what went before may still be read by the transport.
func (g *handedOver) room() []string {
	if g.upTo > 0 {
		return nil
	}
	return g.firstValues[:0]
}

// HeaderChanged refuses what gRPC cannot carry and changes that come too late.
func (r *rpc) HeaderChanged(h driver.Header, trailer bool) error {
	key := strings.ToLower(h.Key)
	if err := checkMetadata(key, h.Value); err != nil {
		return err
	}
	state := r.lockMetadata()
	defer state.mu.Unlock()
	if h.Op != driver.Add && h.Op != driver.Default && slices.Contains(state.handedOver(trailer).keys, key) {
		return interceptor.ErrCommitted
	}
	return nil
}

// checkMetadata refuses the keys that grpc-go sets itself, and would drop in
// silence, those that HTTP/2 forbids (RFC 9113 section 8.2.2), and values that
// would break the connection.
func checkMetadata(key, value string) error {
	switch key {
	case "content-type", "user-agent", "te", "grpc-message-type", "grpc-encoding", "grpc-message",
		"grpc-status", "grpc-timeout":
		return ops.Misuse(fmt.Sprintf("gRPC sets the header %q itself; set it on HTTP calls only", key))
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "content-length":
		return ops.Misuse(fmt.Sprintf("the header %q has no meaning in gRPC; set it on HTTP calls only", key))
	}
	if strings.HasSuffix(key, "-bin") {
		return nil
	}
	for i := range len(value) {
		if b := value[i]; b < ' ' || b > '~' {
			return ops.Misuse(fmt.Sprintf("the value for header %q is not printable ASCII; gRPC carries other bytes only under keys that end in -bin", key))
		}
	}
	return nil
}

// flush hands over what hooks have set so far, once, just before the request is
// decoded: if that fails grpc-go sends the status by itself, and what comes
// later would be lost. Defaults wait for the handler.
func (r *rpc) flush() {
	if r.linked() {
		return // the layer that began the call writes its headers
	}
	r.handOver(false, false)
	r.handOver(true, false)
}

// writeHeaders hands over the rest of the headers.
func (r *rpc) writeHeaders() {
	if !r.linked() {
		r.handOver(false, true)
	}
}

// writeTrailers hands over the rest of the trailers.
func (r *rpc) writeTrailers() {
	if !r.linked() {
		r.handOver(true, true)
	}
}

// handedOver returns the state of the headers or the trailers; s.mu is held.
func (s *metadataState) handedOver(trailer bool) *handedOver {
	if !trailer {
		return &s.headers
	}
	if s.trailers == nil {
		s.trailers = new(handedOver)
	}
	return s.trailers
}

// handOver gives grpc-go what hooks have set since the last time, defaults only
// the final time.
func (r *rpc) handOver(trailer, final bool) {
	if r.metadata.Load() == nil {
		return // HeaderChanged was never called
	}
	list, present, set := ops.Headers(r.call), r.presentHeader, r.setHeader
	if trailer {
		list, present, set = ops.Trailers(r.call), r.presentTrailer, r.setTrailer
	}
	if len(list) == 0 {
		return
	}
	state := r.lockMetadata()
	gone := state.handedOver(trailer)
	from, done, room := gone.upTo, gone.all, gone.room()
	gone.upTo, gone.all = len(list), final
	state.mu.Unlock()
	if done {
		return
	}
	md := resolveHeaders(list, from, final, room, present)
	if len(md) == 0 {
		return
	}
	state.mu.Lock()
	if gone.keys == nil {
		gone.keys = gone.firstKeys[:0]
	}
	for key := range md {
		gone.keys = append(gone.keys, key)
	}
	state.mu.Unlock()
	if err := set(md); err != nil && r.ctx.Err() == nil { // to a client that has left nothing is sent
		ops.Report(r.core.stack, r.ctx, r.call, fmt.Errorf("crosscut: response metadata that hooks set on %s was not sent: %w; the handler may have sent its headers early with grpc.SendHeader, so set yours in a Before… phase", r.Path(), err))
	}
}

// resolveHeaders computes what the operations from index from on amount to.
// Defaults count only at the end, where the handler has set nothing; the values
// of Vary are merged with those that are there. The result is nil where there is
// nothing, which is usual for all but the first time; its values are in room as
// far as they fit.
func resolveHeaders(list []driver.Header, from int, final bool, room []string, present func() metadata.MD) metadata.MD {
	var md, defaults metadata.MD
	for i, h := range list {
		key := strings.ToLower(h.Key)
		switch {
		case h.Op == driver.Default:
			defaults = with(defaults, key, append(defaults[key], h.Value))
		case h.Op == driver.Del:
			delete(md, key)
			delete(defaults, key)
		case i < from: // has gone
		case h.Op == driver.Set:
			room = append(room, h.Value)
			md = with(md, key, room[len(room)-1:len(room):len(room)])
		case h.Op == driver.Add:
			md = with(md, key, append(md[key], h.Value))
		}
	}
	if !final || len(defaults) == 0 {
		return md
	}
	there := present()
	for key, values := range defaults {
		switch {
		case key == "vary":
			for _, v := range values {
				if !listed(md[key], v) && !listed(there[key], v) {
					md = with(md, key, append(md[key], v))
				}
			}
		case len(md[key])+len(there[key]) == 0:
			md = with(md, key, values[:1])
		}
	}
	return md
}

// with returns md, made if it is nil, with values under key.
func with(md metadata.MD, key string, values []string) metadata.MD {
	if md == nil {
		md = metadata.MD{}
	}
	md[key] = values
	return md
}

// listed tells whether one of the comma-separated lists in values has field.
func listed(values []string, field string) bool {
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(item), strings.TrimSpace(field)) {
				return true
			}
		}
	}
	return false
}

var errNoTransport = errors.New("the context holds no grpc.ServerTransportStream")

func (r *rpc) setHeader(md metadata.MD) error {
	if r.wire == nil {
		return errNoTransport
	}
	return r.wire.SetHeader(md)
}

func (r *rpc) setTrailer(md metadata.MD) error {
	if r.wire == nil {
		return errNoTransport
	}
	return r.wire.SetTrailer(md)
}

// presentHeader is what the transport holds already: what was handed over, and
// what the handler set. Transports of grpc-go and of the in-process connection
// tell it.
func (r *rpc) presentHeader() metadata.MD {
	s, ok := r.wire.(interface{ Header() (metadata.MD, error) })
	if !ok {
		return nil
	}
	md, _ := s.Header() // it has no error before the end of the stream
	return md
}

func (r *rpc) presentTrailer() metadata.MD {
	if s, ok := r.wire.(interface{ Trailer() metadata.MD }); ok {
		return s.Trailer()
	}
	return nil
}
