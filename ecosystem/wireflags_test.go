package ecosystem_test

import (
	"context"
	"sync"

	"google.golang.org/grpc/stats"
)

// flags is a stats handler that tells, for each message of a call in order,
// whether it was compressed on the wire. It works on servers, where handlers find
// it in their context, and on clients, where what happened is kept in last.
type flags struct{ last received }

type flagsKey struct{}

// received are the messages that one call received.
type received struct {
	mu         sync.Mutex
	compressed []bool
	encoding   string // of the call, as the other side named it
}

func (f *flags) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, flagsKey{}, new(received))
}

func (f *flags) HandleRPC(ctx context.Context, s stats.RPCStats) {
	own, _ := ctx.Value(flagsKey{}).(*received)
	for _, r := range []*received{own, &f.last} {
		r.mu.Lock()
		switch s := s.(type) {
		case *stats.InHeader:
			r.encoding = s.Compression
		case *stats.InPayload:
			// The cases send zeros, which every compressor makes smaller.
			r.compressed = append(r.compressed, s.CompressedLength < s.Length)
		}
		r.mu.Unlock()
	}
}

func (*flags) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*flags) HandleConn(context.Context, stats.ConnStats)                       {}

// next returns whether the message that the call received last was compressed.
func (r *received) next() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.compressed[len(r.compressed)-1]
}

// take returns what was received since the last take.
func (r *received) take() (compressed []bool, encoding string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	compressed, encoding = r.compressed, r.encoding
	r.compressed, r.encoding = nil, ""
	return compressed, encoding
}

func receivedIn(ctx context.Context) *received {
	r, _ := ctx.Value(flagsKey{}).(*received)
	return r
}
