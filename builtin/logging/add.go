package logging

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Add adds attributes to the record of the call that ctx belongs to. Hooks and
// handlers call it, from any goroutine, in any phase before the logging hook's
// AfterResponse; what comes later is dropped. Attributes appear in the order they
// were added, repeated keys included. Without a call, or without a logging hook,
// nothing happens. attrs is copied. Strings and errors are cut at 8 KiB, and
// protobuf messages printed without the fields marked debug_redact.
func Add(ctx context.Context, attrs ...slog.Attr) {
	call, ok := interceptor.CallFrom(ctx)
	if !ok || call == nil || len(attrs) == 0 {
		return
	}
	addedTo(call).add(attrs)
}

// added holds what Add was given. The key is in the call, not in the context, so
// that the outer logging hook sees what was added further in.
var added = interceptor.NewKey[*bag]("logging.Add")

type bag struct {
	mu    sync.Mutex
	attrs []slog.Attr
}

func (b *bag) add(attrs []slog.Attr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attrs = append(b.attrs, attrs...)
}

func (b *bag) all() []slog.Attr {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clip(b.attrs) // later additions go elsewhere
}

// making is held while a call gets its bag, so that two goroutines that add at
// the same time make one. It is shared by all calls, but each takes it once.
var making sync.Mutex

func addedTo(call *interceptor.Call) *bag {
	if b, ok := added.Get(call); ok {
		return b
	}
	making.Lock()
	defer making.Unlock()
	b, ok := added.Get(call)
	if !ok {
		b = new(bag)
		added.Set(call, b)
	}
	return b
}

func appendAdded(attrs []slog.Attr, call *interceptor.Call) []slog.Attr {
	b, ok := added.Get(call)
	if !ok {
		return attrs
	}
	for _, a := range b.all() {
		attrs = append(attrs, safe(a, maxPayload))
	}
	return attrs
}
