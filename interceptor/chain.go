package interceptor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// chain returns the WrapHandler chain of the hooks around the handler, built
// once per distinct list; nil for no hooks.
func (s *Stack) chain(hooks []*entry) (Handler, error) {
	if len(hooks) == 0 {
		return nil, nil
	}
	var id strings.Builder
	for _, e := range hooks {
		id.WriteString(strconv.Itoa(int(e.index)) + ",")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.chains[id.String()]; ok {
		return h, nil
	}
	h := Handler(runHandler)
	for i := len(hooks) - 1; i >= 0; i-- {
		l := &layer{hook: hooks[i], depth: int32(i), inner: h}
		if l.own = l.hook.handler.WrapHandler(l.next); l.own == nil {
			return nil, fmt.Errorf("crosscut: hook %s: WrapHandler returned nil; return next to leave the handler as it is", l.hook.name)
		}
		h = l.run
	}
	s.chains[id.String()] = h
	return h, nil
}

// layer is one hook of a WrapHandler chain.
type layer struct {
	hook  *entry
	depth int32   // 0 is outermost
	own   Handler // what the hook's WrapHandler returned
	inner Handler // the layer further in, or the user's handler
}

// progress is how far a call has come in its WrapHandler chain.
type progress struct {
	depth   atomic.Int32 // how many layers have called next
	failed  atomic.Int32 // 1 + depth of the layer whose next failed last, or 0
	handled atomic.Bool  // the user's handler has returned without an error
}

// run calls what the hook put around the handler. A panic is the hook's error,
// so that the hooks further out can clean up as after any other.
func (l *layer) run(ctx context.Context, call *Call) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(l.hook.name, r)
		}
	}()
	if err = l.own(ctx, call); err != nil {
		return named(l.hook, err)
	}
	g := &call.progress
	if call.answered() == nil && (g.depth.Load() <= l.depth || g.failed.Load() == l.depth+1) {
		return call.refuse(l.hook.misusef("WrapHandler returned nil where next was not called or has failed; return the error of next, or answer with Reply"))
	}
	return named(l.hook, call.takeBug())
}

// next is what the hook calls to go on inwards.
func (l *layer) next(ctx context.Context, call *Call) error {
	if err := l.mayRun(ctx, call); err != nil {
		return call.refuse(err)
	}
	g := &call.progress
	g.failed.Store(0)
	err := l.inner(ctx, call)
	if err != nil {
		call.dropReply() // an error wins over a reply further in
		g.failed.Store(l.depth + 1)
	}
	return err
}

// mayRun refuses a context that is not the call's, a run after an answer, and a
// second run unless the method is a unary RPC whose last run returned an error.
func (l *layer) mayRun(ctx context.Context, call *Call) error {
	if err := call.checkContext(ctx, l.hook, "passed to", "next"); err != nil {
		return err
	}
	if call.answered() != nil {
		return l.hook.misusef("next was called after Reply; do one or the other")
	}
	g := &call.progress
	if g.depth.CompareAndSwap(l.depth, l.depth+1) {
		return nil
	}
	m := call.Method()
	if m.Kind() != Unary || m.plain || call.Committed() || !g.failed.CompareAndSwap(l.depth+1, 0) {
		return l.hook.misusef("next was called again on %s; that is allowed only on a unary RPC whose last run returned an error", m.Name())
	}
	g.depth.Store(l.depth + 1)
	return nil
}

// refuse makes err the outcome of the call whatever the handler returns.
func (c *Call) refuse(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.poisonLocked(err)
}

// runHandler is the innermost Handler: the user's.
func runHandler(ctx context.Context, call *Call) error {
	call.at(phaseHandler)
	err := call.run.Invoke(ctx)
	if r, ok := call.run.(driver.Responder); ok && err == nil {
		call.record(r.Response())
	}
	call.progress.handled.Store(err == nil)
	call.at(phaseWrapHandler)
	return err
}

// handle runs the handler inside its WrapHandler chain. A unary handler does not
// start while a hook waits for the request message.
func (c *Call) handle(ctx context.Context) error {
	if len(c.plan.receive) > 0 && c.Method().Kind() == Unary && c.isWaiting() {
		return c.refuse(errNoMessage)
	}
	if c.plan.wrapped == nil {
		c.at(phaseHandler)
		return c.run.Invoke(ctx)
	}
	c.at(phaseWrapHandler)
	return c.plan.wrapped(ctx, c)
}
