package grpcadapter

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gate counts the dispatches in process, which grpc-go does not know of. The
// zero gate is open.
type gate struct {
	mu     sync.Mutex
	closed bool
	inside map[*entrance]struct{}
	empty  []chan struct{}
}

// entrance is one dispatch.
type entrance struct{ cancel context.CancelCauseFunc }

// enterInProcess lets a dispatch in: it returns the context to run it with, which
// Stop cancels, and what to call when it has ended. A stopped server answers
// UNAVAILABLE.
func (s *Server) enterInProcess(ctx context.Context) (dispatchCtx context.Context, leave func(), err error) {
	return s.inside.enter(ctx)
}

func (g *gate) enter(ctx context.Context) (context.Context, func(), error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, nil, status.Error(codes.Unavailable, "the server was stopped")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	e := &entrance{cancel}
	if g.inside == nil {
		g.inside = map[*entrance]struct{}{}
	}
	g.inside[e] = struct{}{}
	return ctx, func() { g.leave(e) }, nil
}

func (g *gate) leave(e *entrance) {
	e.cancel(nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.inside, e)
	if len(g.inside) == 0 {
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
	for e := range g.inside {
		e.cancel(cause)
	}
}

// wait returns when nobody is inside.
func (g *gate) wait() {
	g.mu.Lock()
	if len(g.inside) == 0 {
		g.mu.Unlock()
		return
	}
	done := make(chan struct{})
	g.empty = append(g.empty, done)
	g.mu.Unlock()
	<-done
}
