package grpcadapter

import (
	"context"
	"sync"
	"time"
)

// lifetime is how long the server side of a dispatch lasts: as long as parent, until
// it is cancelled, or until its end. Most unary handlers never wait for that, so what
// they would wait for is made when they ask. It is safe for concurrent use and may be
// asked after the end.
type lifetime struct {
	parent     context.Context
	prev, next *lifetime // others in the same gate, which guards them

	mu     sync.Mutex
	ctx    context.Context // what somebody waits for, nil before
	cancel context.CancelCauseFunc
	ended  bool // before anybody waited, and before parent
}

// Deadline is that of parent.
func (l *lifetime) Deadline() (time.Time, bool) { return l.parent.Deadline() }

// Done is closed at the end.
func (l *lifetime) Done() <-chan struct{} { return l.cancelable().Done() }

// Err tells why the lifetime is over, nil before.
func (l *lifetime) Err() error {
	l.mu.Lock()
	ctx, ended := l.ctx, l.ended
	l.mu.Unlock()
	switch {
	case ctx != nil:
		return ctx.Err()
	case ended:
		return context.Canceled
	default:
		return l.parent.Err()
	}
}

// cancelable returns the context that ends with the lifetime.
func (l *lifetime) cancelable() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ctx != nil:
	case l.ended: // whatever parent has done since
		l.ctx, l.cancel = context.WithCancelCause(context.Background())
		l.cancel(nil)
	default:
		l.ctx, l.cancel = context.WithCancelCause(l.parent)
	}
	return l.ctx
}

// end ends the lifetime with a cause, nil for none. Only the first end counts.
func (l *lifetime) end(cause error) {
	if cause != nil {
		l.cancelable()
	}
	l.mu.Lock()
	cancel := l.cancel
	if cancel == nil && l.parent.Err() == nil {
		l.ended = true
	}
	l.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
}
