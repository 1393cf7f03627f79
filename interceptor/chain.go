package interceptor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
)

// chain returns the WrapHandler chain of the hooks around the handler, built
// once per distinct list; nil for no hooks.
func (s *Stack) chain(hooks []*entry) (Handler, error) {
	if len(hooks) == 0 {
		return nil, nil
	}
	var id strings.Builder
	for _, e := range hooks {
		id.WriteString(strconv.Itoa(e.index) + ",")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.chains[id.String()]; ok {
		return h, nil
	}
	h := Handler(runHandler)
	for i := len(hooks) - 1; i >= 0; i-- {
		h = hooks[i].handler.WrapHandler(onceMore(hooks[i].name, i, h))
		if h == nil {
			return nil, fmt.Errorf("crosscut: hook %s: WrapHandler returned nil; return next to leave the handler as it is", hooks[i].name)
		}
	}
	s.chains[id.String()] = h
	return h, nil
}

// retryGuard is how deep into the WrapHandler chain a call is, and whether the
// last run that returned to a hook failed.
type retryGuard struct {
	depth  atomic.Int32
	failed atomic.Bool
}

// onceMore is the next that the hook at depth i gets: it refuses a second run
// unless the method is a unary RPC whose last run returned an error.
func onceMore(name string, i int, next Handler) Handler {
	depth := int32(i)
	return func(ctx context.Context, call *Call) error {
		g := &call.guards
		if !g.depth.CompareAndSwap(depth, depth+1) {
			if !call.mayRetry() {
				return call.refuse(misusef("hook %s called next again on %s; that is allowed only on a unary RPC whose last run returned an error", name, call.Method().Name()))
			}
			g.depth.Store(depth + 1)
		}
		err := call.checkContext(ctx, name, "passed to next")
		if err == nil {
			err = next(ctx, call)
		}
		g.failed.Store(err != nil)
		return err
	}
}

func (c *Call) mayRetry() bool {
	m := c.Method()
	return m.Kind() == Unary && !m.plain && c.guards.failed.Load() && !c.Committed()
}

// refuse makes err the outcome of the call whatever the handler returns.
func (c *Call) refuse(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.poison == nil {
		c.poison = err
	}
	return c.poison
}

// runHandler is the innermost Handler: the user's.
func runHandler(ctx context.Context, call *Call) error {
	call.at(phaseHandler)
	err := call.run.Invoke(ctx)
	call.at(phaseWrapHandler)
	return err
}

// handle runs the handler inside its WrapHandler chain.
func (c *Call) handle(ctx context.Context) (err error) {
	if c.plan.wrapped == nil {
		c.at(phaseHandler)
		return c.run.Invoke(ctx)
	}
	defer func() {
		if r := recover(); r != nil {
			err = panicked("", r)
		}
	}()
	c.at(phaseWrapHandler)
	return c.plan.wrapped(ctx, c)
}
