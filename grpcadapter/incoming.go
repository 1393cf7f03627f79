package grpcadapter

import (
	"context"
	"slices"
	"unicode"

	"google.golang.org/grpc/metadata"
)

// incomingKey is what package metadata keeps incoming metadata under. Its own
// functions copy all that they return, and look at every key for one that is not
// there, as trace headers often are; hooks read several keys of each call. A context
// is told the key when it is asked for the metadata.
var incomingKey = func() any {
	asked := &asksBack{Context: context.Background()}
	_, _ = metadata.FromIncomingContext(asked)
	return asked.key
}()

// asksBack is a context that keeps what it is asked for.
type asksBack struct {
	context.Context
	key any
}

func (c *asksBack) Value(key any) any {
	c.key = key
	return nil
}

// incoming returns the incoming metadata itself, to be read only.
func incoming(ctx context.Context) metadata.MD {
	if md, ok := ctx.Value(incomingKey).(metadata.MD); ok {
		return md
	}
	md, _ := metadata.FromIncomingContext(ctx) // should it be kept otherwise one day
	return md
}

// incomingValues returns the values of key, which is in lower case, without copying
// them.
func (r *rpc) incomingValues(key string) []string {
	md := incoming(r.ctx)
	if v, ok := md[key]; ok {
		return slices.Clip(v)
	}
	if !r.flags.has(lowerKeys | mixedKeys) {
		r.flags.Or(spellingOf(md))
	}
	if r.flags.has(lowerKeys) {
		return nil
	}
	return metadata.ValueFromIncomingContext(r.ctx, key)
}

// spellingOf tells how keys are spelled. Those that came over a wire are in lower
// case; those that a stats handler or a test put there may be anything.
func spellingOf(md metadata.MD) uint32 {
	for key := range md {
		for i := range len(key) {
			if b := key[i]; 'A' <= b && b <= 'Z' || b > unicode.MaxASCII {
				return mixedKeys // folded, it may equal another spelling
			}
		}
	}
	return lowerKeys
}
