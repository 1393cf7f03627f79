package grpcadapter

import (
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gate keeps the dispatches in process, which grpc-go does not know of. The zero
// gate is open.
type gate struct {
	mu     sync.Mutex
	closed bool
	inside *lifetime // the one that came last
	empty  []chan struct{}
}

// enter lets a dispatch in, until leave. A stopped server answers UNAVAILABLE.
func (g *gate) enter(l *lifetime) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return status.Error(codes.Unavailable, "the server was stopped")
	}
	if l.next = g.inside; l.next != nil {
		l.next.prev = l
	}
	g.inside = l
	return nil
}

// leave ends a dispatch that has entered. It is called once.
func (g *gate) leave(l *lifetime) {
	l.end(nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.next != nil {
		l.next.prev = l.prev
	}
	if l.prev != nil {
		l.prev.next = l.next
	} else {
		g.inside = l.next
	}
	l.prev, l.next = nil, nil // a context that a handler keeps must not keep others
	if g.inside == nil {
		for _, waiting := range g.empty {
			close(waiting)
		}
		g.empty = nil
	}
}

// close lets nobody in any more. With a cause it cancels those inside.
func (g *gate) close(cause error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if cause == nil {
		return
	}
	for l := g.inside; l != nil; l = l.next {
		l.end(cause)
	}
}

// wait returns when nobody is inside.
func (g *gate) wait() {
	g.mu.Lock()
	if g.inside == nil {
		g.mu.Unlock()
		return
	}
	done := make(chan struct{})
	g.empty = append(g.empty, done)
	g.mu.Unlock()
	<-done
}
