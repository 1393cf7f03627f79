package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Trust says what becomes of the trace that a caller claims to be part of:
// [Continue], [Restart] or [Ignore] for every call, or a [TrustFunc] that decides
// for each. [New] takes it as an argument because no default is right both for
// services among themselves and for the edge of a network.
type Trust interface {
	policyFor(call *interceptor.Call) Policy
}

// Policy is one way to treat the trace headers of a caller. It concerns the
// remote parent only: a span that already runs in this process, begun around the
// server by other instrumentation, stays the parent under every policy.
type Policy uint8

const (
	// Continue makes the call part of the caller's trace and takes its baggage.
	// Whoever sends a request then chooses its trace id, whether it is sampled,
	// and what baggage travels on: use it where callers are your own services.
	Continue Policy = iota + 1
	// Restart begins a trace of its own, with a link to the caller's span, and
	// drops its baggage and tracestate. It is what W3C Trace Context recommends
	// where a trace enters from strangers (section "Privacy Considerations").
	Restart
	// Ignore begins a trace of its own and does not read the caller's headers.
	Ignore
)

func (p Policy) policyFor(*interceptor.Call) Policy { return p }

// TrustFunc decides for each call, in BeforeRequest, by what is known then: peer
// address, listener, TLS state. It runs before authentication, so a header is no
// basis for trust. It is called by many goroutines at once. Anything but
// [Continue] and [Restart] counts as [Ignore].
type TrustFunc func(call *interceptor.Call) Policy

func (f TrustFunc) policyFor(call *interceptor.Call) Policy { return f(call) }

// valid panics for a trust that says nothing.
func mustTrust(trust Trust) {
	const choices = "pass telemetry.Continue (callers are your own services), telemetry.Restart (callers are strangers), telemetry.Ignore, or a telemetry.TrustFunc"
	switch t := trust.(type) {
	case nil:
		panic("telemetry.New: trust is nil; " + choices)
	case Policy:
		if t < Continue || t > Ignore {
			panic("telemetry.New: trust is no policy; " + choices)
		}
	case TrustFunc:
		if t == nil {
			panic("telemetry.New: trust is a nil TrustFunc; " + choices)
		}
	}
}

// parentage is what a span begins from.
type parentage struct {
	ctx     context.Context // holds the parent, if there is one
	newRoot bool
	link    trace.SpanContext // of the caller, where it is not the parent
}

// parent settles what the span of a call begins from. Headers are read only if
// no local span is in the context: what it descends from has been settled
// before.
func (h *hook) parent(ctx context.Context, call *interceptor.Call) parentage {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() && !sc.IsRemote() {
		return parentage{ctx: ctx}
	}
	policy := h.trust.policyFor(call)
	if policy == Continue {
		return parentage{ctx: h.propagator.Extract(ctx, (*carrier)(call))}
	}
	p := parentage{ctx: ctx, newRoot: true}
	if policy == Restart && !h.silent { // a span that nobody keeps needs no link
		remote := trace.SpanContextFromContext(h.propagator.Extract(ctx, (*carrier)(call)))
		p.link = remote.WithTraceState(trace.TraceState{})
	}
	// Whatever middleware outside of the stack has already taken from the headers
	// is no more trusted for that.
	if trace.SpanContextFromContext(ctx).IsValid() {
		p.ctx = trace.ContextWithSpanContext(p.ctx, trace.SpanContext{})
	}
	if baggage.FromContext(ctx).Len() > 0 {
		p.ctx = baggage.ContextWithoutBaggage(p.ctx)
	}
	return p
}
