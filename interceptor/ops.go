package interceptor

import (
	"context"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/internal/driver"
)

func init() {
	driver.Register(&driver.Ops[Stack, Call, Method]{
		NewMethod: newMethod,
		NewRoute:  func(name string) *Method { return &Method{name: name, plain: true} },
		Prepare:   func(s *Stack, m *Method, k driver.Kind) error { return s.planFor(m, k).err },

		Begin:   (*Call).begin,
		Request: (*Call).beforeRequest,
		Resolve: (*Call).resolve,
		Inner:   func(c *Call) context.Context { return c.inner },
		Needs:   (*Call).needs,

		Receive: (*Call).receive,
		Waiting: (*Call).isWaiting,
		Handle:  (*Call).handle,

		Answer:  (*Call).answer,
		Respond: (*Call).respond,
		Send:    (*Call).send,
		Finish:  (*Call).finish,

		Fail:          (*Call).fail,
		Failed:        (*Call).Err,
		Answered:      (*Call).answered,
		Headers:       func(c *Call) []driver.Header { return c.headerOps(false) },
		Trailers:      func(c *Call) []driver.Header { return c.headerOps(true) },
		Commit:        (*Call).commit,
		Sent:          func(c *Call, messages, bytes int) { c.count.sent.add(messages, bytes) },
		ReceivedBytes: func(c *Call, bytes int64) { c.count.received.add(0, int(bytes)) },
		End:           (*Call).finalize,
		Ended:         func(c *Call) bool { return c.ended.Load() },

		Arm:       func(c *Call, fullMethod string) { c.armed.Store(&fullMethod) },
		Claim:     claim,
		Swap:      func(c *Call, r driver.Runner) { c.run = r },
		Transport: func(c *Call) driver.Transport { return c.wire },
		StackOf:   func(c *Call) *Stack { return c.stack },

		Panicked: func(value any) error { return panicked("", value) },
		Misuse:   func(text string) error { return &misuse{text: text} },
		Report:   func(s *Stack, ctx context.Context, c *Call, err error) { s.tell(ctx, c, err) },

		Observe: (*Stack).observed,
	})
}

func newMethod(name string, desc any, kind uint8) *Method {
	m := &Method{name: name, kind: Kind(kind)}
	m.desc, _ = desc.(protoreflect.MethodDescriptor)
	return m
}

func (c *Call) needs() driver.Needs {
	return driver.Needs{Messages: len(c.plan.receive) > 0, Handler: c.plan.wrapped != nil}
}

func (c *Call) headerOps(trailer bool) []driver.Header {
	n := c.notes.Load()
	if n == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !trailer {
		return n.headers
	}
	if rare := n.rare.Load(); rare != nil {
		return rare.trailers
	}
	return nil
}

func (c *Call) commit() {
	c.mu.Lock()
	c.committed = true
	c.mu.Unlock()
}

// claim hands the call in ctx to the one dispatch it was armed for. Whoever
// claims first wins; a later dispatch with the same context is a new call.
func claim(ctx context.Context, s *Stack, fullMethod string) *Call {
	c, ok := CallFrom(ctx)
	if !ok || c.stack != s {
		return nil
	}
	armed := c.armed.Load()
	if armed == nil || *armed != fullMethod || !c.armed.CompareAndSwap(armed, nil) {
		return nil
	}
	return c
}
