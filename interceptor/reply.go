package interceptor

import (
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// The running phase of a call, in order. Replies are allowed in some only.
const (
	phaseNone = iota
	phaseBeforeRequest
	phaseBeforeHandler
	phaseOnReceive
	phaseWrapHandler
	phaseHandler
	phaseOnSend
	phaseOnError
	phaseBeforeResponse
	phaseAfterResponse
)

var phaseNames = [...]string{"between the phases", "in BeforeRequest", "in BeforeHandler", "in OnReceive",
	"in WrapHandler", "in the handler", "in OnSend", "in OnError", "in BeforeResponse", "in AfterResponse"}

func (c *Call) at(phase uint32) { c.phase.Store(phase) }

// Reply answers the call with message instead of its handler: in BeforeRequest,
// BeforeHandler, OnReceive of a single-request call, WrapHandler instead of next,
// BeforeResponse of a call that has not failed, or OnError. It is a success; the
// message passes OnSend of the entered hooks, and on gateway routes the
// gateway's marshaler:
//
//	return ctx, call.Reply(message)
//
// In OnError, Reply and a nil error recover the call. A message that is not the
// method's response type, a plain route (use [Call.ReplyHTTP]), a phase that
// cannot answer, and a reply before the last [Decider] has agreed fail the call
// INTERNAL, naming the hook, also if the returned error is dropped. After the
// response has been committed Reply returns [ErrCommitted].
func (c *Call) Reply(message any) error {
	if c == nil || c.stack == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.method.Load(); m != nil {
		if err := checkReplyType(m, message); err != nil {
			return c.misusedLocked(err)
		}
	}
	return c.replyLocked(message, true)
}

func checkReplyType(m *Method, message any) error {
	if m.plain {
		return misusef("Reply on the plain route %s, which has no response message; use ReplyHTTP", m.name)
	}
	got, ok := message.(proto.Message)
	if !ok || m.desc == nil {
		if message == nil {
			return misusef("Reply(nil) on %s; pass the response message", m.name)
		}
		if m.desc != nil {
			return misusef("Reply with a %T on %s, which answers with %s", message, m.name, m.desc.Output().FullName())
		}
		return nil // a service without a descriptor: its codec decides
	}
	if name := got.ProtoReflect().Descriptor().FullName(); name != m.desc.Output().FullName() {
		return misusef("Reply with a %s on %s, which answers with %s", name, m.name, m.desc.Output().FullName())
	}
	return nil
}

// ReplyHTTP answers an HTTP call with status, content type and body instead of
// its handler, where [Call.Reply] would answer with a message. An empty body
// makes a bodyless answer, such as a preflight or a redirect, which may also be
// given before a [Decider] has agreed. On gRPC, and with a status of 400 or more
// (return an error instead), it fails the call INTERNAL. On gateway routes the
// bytes go out as they are. body is not copied: do not change it afterwards.
func (c *Call) ReplyHTTP(status int, contentType string, body []byte) error {
	if c == nil || c.stack == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.Transport() != HTTP:
		return c.misusedLocked(misusef("ReplyHTTP on a gRPC call; use Reply with the response message"))
	case status >= http.StatusBadRequest:
		return c.misusedLocked(misusef("ReplyHTTP with status %d; return an error made by NewError instead, with WithHTTPStatus(%d) if the status matters", status, status))
	case status < http.StatusOK:
		return c.misusedLocked(misusef("ReplyHTTP with status %d, which is not a final status", status))
	}
	reply := &driver.HTTPReply{Status: status, ContentType: contentType, Body: body}
	return c.replyLocked(reply, len(body) > 0)
}

func (c *Call) replyLocked(reply any, content bool) error {
	phase := c.phase.Load()
	switch {
	case c.ended.Load() || c.committed:
		return ErrCommitted
	case !c.mayReply(phase):
		return c.misusedLocked(misusef("a reply %s, where the call cannot be answered; reply in a Before… phase, in OnReceive of a single-request call, in WrapHandler instead of next, or in OnError", phaseNames[phase]))
	case c.await != nil && phase != phaseOnReceive: // there the order decides
		return c.misusedLocked(misusef("a reply before %s, which called AwaitMessage, has agreed to the request message; list the replying hook before it", c.await.name))
	case content && !c.decided():
		return c.misusedLocked(misusef("a reply with content before %s has decided access; list the replying hook after it and reply in BeforeHandler or later", c.undecided()))
	}
	if e := c.runningHook(); !content && e != nil && e.decides {
		c.denied = true
	}
	c.reply = reply
	return nil
}

func (c *Call) mayReply(phase uint32) bool {
	switch phase {
	case phaseBeforeRequest, phaseBeforeHandler, phaseOnError:
		return true
	case phaseWrapHandler: // instead of the handler, not of its response
		return !c.progress.handled.Load() || c.progress.failed.Load() != 0
	case phaseOnReceive:
		return c.Method().Kind().singleRequest()
	case phaseBeforeResponse:
		return c.failure == nil
	}
	return false
}

// misusedLocked records a bug for the running phase to fail with, so that a hook
// that drops the returned error does not pass in silence.
func (c *Call) misusedLocked(err error) error {
	if c.bug == nil {
		c.bug = err
	}
	return err
}

// takeBug returns the recorded misuse, if any, and forgets it.
func (c *Call) takeBug() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.bug
	c.bug = nil
	return err
}

// answered returns the reply given so far, or nil.
func (c *Call) answered() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reply
}

// AwaitMessage declares, in BeforeHandler, that the running hook must see the
// first request message before anything happens: until its OnReceive has agreed
// once a unary handler does not start, a stream sends nothing, and the call
// cannot end OK. The hook must be a [MessageHook]. A plain route has no
// messages, so there the call fails INTERNAL.
func (c *Call) AwaitMessage() {
	if c == nil || c.stack == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.method.Load()
	switch e := c.inBeforeHandlerLocked("AwaitMessage"); {
	case e == nil:
	case e.messages == nil || e.isFuncs && e.funcs.OnReceive == nil:
		_ = c.misusedLocked(misusef("AwaitMessage without OnReceive: the hook must implement MessageHook"))
	case !c.plan.shows(e):
		_ = c.misusedLocked(misusef("AwaitMessage on %s, whose messages the hook left out with SkipMessages; do one or the other", m.name))
	case m.plain:
		_ = c.misusedLocked(misusef("AwaitMessage on the plain route %s, which has no messages; scope the hook with When to methods that have one", m.name))
	default:
		c.await = e
	}
}

// inBeforeHandlerLocked returns the hook whose BeforeHandler runs. Elsewhere it is a
// misuse of what was called, and nil.
func (c *Call) inBeforeHandlerLocked(called string) *entry {
	if c.phase.Load() == phaseBeforeHandler {
		if e := c.runningHook(); e != nil {
			return e
		}
	}
	_ = c.misusedLocked(misusef("%s outside BeforeHandler", called))
	return nil
}
