package telemetry

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tracekey"
)

// record is what the hook keeps of one call. The goroutine that runs the phases
// owns it; what others may touch says so.
type record struct {
	hook   *hook
	outer  *record // of another telemetry hook of the same stack, listed before
	call   *interceptor.Call
	ctx    context.Context // with the span: points recorded with it become exemplars
	span   trace.Span      // never nil
	target *target         // what span and points are named by
	opened *target         // what the span was begun for
	routed bool            // target is that of the method
	origin *Origin         // never nil
	peer   peer
	ids    tracekey.Span
	extra  additions   // from any goroutine
	ended  atomic.Bool // from any goroutine
	drop   Signals
	left   bool // the client was gone when the call ended

	opts [3]trace.SpanStartOption // room for the usual ones
}

// How many attributes spans have at their start and get at their end, as a rule.
const (
	httpAttrs = 8
	rpcAttrs  = 4
)

// recordKey finds the record from hooks and handlers of the call.
var recordKey = interceptor.NewKey[*record]("telemetry")

// recordOf returns the innermost record of the call, or nil.
func recordOf(call *interceptor.Call) *record {
	r, _ := recordKey.Get(call)
	return r
}

// own returns the record that this hook made for the call, or nil.
func (h *hook) own(call *interceptor.Call) *record {
	r := recordOf(call)
	for r != nil && r.hook != h {
		r = r.outer
	}
	return r
}

// noSpan stands for the span of a call that has none.
var noSpan = trace.SpanFromContext(context.Background())

// begin begins the record of a call, and its span.
func (h *hook) begin(p parentage, call *interceptor.Call) *record {
	r := &record{hook: h, outer: recordOf(call), call: call, ctx: p.ctx, span: noSpan, origin: &noOrigin, opened: h.targets.of(call)}
	r.target = r.opened
	if h.filter != nil {
		r.drop = h.filter(call)
	}
	if h.origin != nil {
		origin := h.origin(call)
		r.origin = &origin
	}
	if r.drop&Traces == 0 {
		r.start(p)
	}
	r.correlate()
	return r
}

// start starts the span with everything that is known, which is what samplers
// decide by.
func (r *record) start(p parentage) {
	h := r.hook
	if h.silent {
		r.ctx, r.span = h.tracer.Start(p.ctx, r.target.name)
		return
	}
	opts := append(r.opts[:0], h.kind(r.call), trace.WithTimestamp(r.call.StartTime()), r.opening())
	if len(h.headers.request) > 0 {
		opts = append(opts, trace.WithAttributes(h.headers.appendRequest(nil, r.call)...))
	}
	if p.newRoot {
		opts = append(opts, newRoot)
	}
	if p.link.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: p.link}))
	}
	r.ctx, r.span = h.tracer.Start(p.ctx, r.target.name, opts...)
}

// opening is what a span tells of its call from the start.
func (r *record) opening() trace.SpanStartOption {
	if r.call.Transport() != interceptor.HTTP {
		return r.openingRPC()
	}
	attrs := append(make([]attribute.KeyValue, 0, httpAttrs), r.target.identity...)
	return trace.WithAttributes(r.startHTTP(attrs)...)
}

var newRoot = trace.WithNewRoot()

// correlate leaves the ids of the span for the log.
func (r *record) correlate() {
	if sc := trace.SpanContextFromContext(r.ctx); sc.IsValid() {
		r.ids = idsOf(sc)
		tracekey.Key.Set(r.call, &r.ids)
	}
}

func idsOf(sc trace.SpanContext) tracekey.Span {
	return tracekey.Span{TraceID: sc.TraceID(), SpanID: sc.SpanID(), Flags: byte(sc.TraceFlags())}
}

// retarget names the span by t if it was named by something else. What t is
// identified by is for finish to say.
func (r *record) retarget(t *target) {
	if t.name != r.target.name && r.span.IsRecording() {
		r.span.SetName(t.name)
	}
	r.target = t
}

// finish tells the span how the call ended.
func (r *record) finish(errorType string, isError bool) {
	var attrs []attribute.KeyValue
	if r.call.Transport() == interceptor.HTTP {
		attrs = r.endHTTP(make([]attribute.KeyValue, 0, httpAttrs))
	} else {
		attrs = r.endRPC(make([]attribute.KeyValue, 0, rpcAttrs))
	}
	attrs = append(attrs, r.target.beyond(r.opened)...)
	if errorType != "" {
		attrs = append(attrs, keyErrorType.String(errorType))
	}
	attrs = r.appendPeer(attrs)
	attrs = r.hook.headers.appendResponse(attrs, r.call)
	r.span.SetAttributes(attrs...)
	if isError {
		r.span.SetStatus(codes.Error, r.description())
	}
}

// description is what a person should read about a failed span beyond its
// attributes: on gRPC the message that the client got.
func (r *record) description() string {
	if !r.hook.messages || r.call.Transport() == interceptor.HTTP {
		return ""
	}
	return cut(interceptor.StatusOf(r.call.Err()).Message(), maxText)
}

// close notes how the call stands at its end. ctx is what its phases received.
func (r *record) close(ctx context.Context) {
	r.left = ctx.Err() != nil && context.Cause(ctx) == context.Canceled //nolint:errorlint // a cause of somebody's own is no client that left
	r.ended.Store(true)
}

// end ends the span at the moment the call did, so that it takes exactly as long
// as the histogram says.
func (r *record) end() {
	r.hook.instruments.begun(r, -1)
	if r.span.IsRecording() {
		r.span.End(trace.WithTimestamp(r.call.StartTime().Add(r.call.Duration())))
	} else if r.drop&Traces == 0 {
		r.span.End()
	}
}
