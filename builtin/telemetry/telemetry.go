package telemetry

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tracekey"
)

// New returns the hook that makes a span and a point of the duration histogram
// of every call, on every transport. What is made of the trace that a caller
// claims to be part of is for trust to say.
//
// Without options it reports to the global tracer, meter and logger providers of
// OpenTelemetry and reads headers with the global propagator. It does not matter
// whether they are set before or after New, but until then nothing is reported,
// and without a propagator no caller's trace is ever continued.
//
// New panics for a nil trust and for options that cannot work, naming the rule.
func New(trust Trust, opts ...Option) interceptor.Hook {
	mustTrust(trust)
	h := &hook{trust: trust, settings: defaults()}
	for _, o := range opts {
		o.apply(&h.settings)
	}
	h.build()
	return h
}

type hook struct {
	interceptor.Base
	settings
	trust Trust

	tracer      trace.Tracer
	logger      log.Logger
	instruments instruments
	targets     targets
}

var (
	_ interceptor.Named         = (*hook)(nil)
	_ interceptor.MethodChecker = (*hook)(nil)
)

// Name returns "telemetry".
func (h *hook) Name() string { return "telemetry" }

// CheckMethod learns the names of RPCs, so that samplers are told the method of a
// call before it is resolved. It refuses nothing.
func (h *hook) CheckMethod(m *interceptor.Method) error {
	h.targets.learn(m)
	return nil
}

// record is what the hook keeps of one call. The goroutine that runs the phases
// owns it; what others may touch says so.
type record struct {
	hook   *hook
	outer  *record // of another telemetry hook of the same stack, listed before
	call   *interceptor.Call
	ctx    context.Context // with the span: points recorded with it become exemplars
	span   trace.Span      // never nil
	target *target         // what span and points are named by
	drop   Signals
	origin Origin
	peer   peer
	left   bool // the client was gone when the call ended
	ids    tracekey.Span
	extra  additions   // from any goroutine
	ended  atomic.Bool // from any goroutine

	attrs [rpcAttrs]attribute.KeyValue // room for those that the span of an RPC starts with
	opts  [5]trace.SpanStartOption
	over  [1]trace.SpanEndOption
}

// How many attributes spans start with, as a rule.
const (
	rpcAttrs  = 4
	httpAttrs = 8
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

// BeforeRequest starts the span.
func (h *hook) BeforeRequest(ctx context.Context, call *interceptor.Call) (context.Context, error) {
	r := &record{hook: h, outer: recordOf(call), call: call, span: noSpan}
	if h.filter != nil {
		r.drop = h.filter(call)
	}
	if h.origin != nil {
		r.origin = h.origin(call)
	}
	r.target = h.targets.of(call)
	p := h.parent(ctx, r)
	r.ctx = p.ctx
	if r.drop&Traces == 0 {
		r.start(p)
	}
	r.correlate()
	recordKey.Set(call, r)
	if r.drop&Metrics == 0 {
		h.instruments.begin(r)
	}
	return r.ctx, nil
}

// noSpan stands for the span of a call that has none.
var noSpan = trace.SpanFromContext(context.Background())

// start starts the span with everything that is known, which is what samplers
// decide by.
func (r *record) start(p parentage) {
	h, attrs := r.hook, r.attrs[:0]
	if r.call.Transport() == interceptor.HTTP {
		attrs = r.startHTTP(append(make([]attribute.KeyValue, 0, httpAttrs), r.target.identity...))
	} else {
		attrs = r.startRPC(append(attrs, r.target.identity...))
	}
	attrs = h.headers.appendRequest(attrs, r.call)
	opts := append(r.opts[:0], h.kind(r.call), trace.WithTimestamp(r.call.StartTime()), trace.WithAttributes(attrs...))
	if p.newRoot {
		opts = append(opts, newRoot)
	}
	if p.link.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: p.link}))
	}
	r.ctx, r.span = h.tracer.Start(p.ctx, r.target.name, opts...)
}

var newRoot = trace.WithNewRoot()

// correlate leaves the ids of the span for the log.
func (r *record) correlate() {
	sc := trace.SpanContextFromContext(r.ctx)
	if !sc.IsValid() {
		return
	}
	r.ids = tracekey.Span{TraceID: sc.TraceID(), SpanID: sc.SpanID(), Flags: byte(sc.TraceFlags())}
	tracekey.Key.Set(r.call, &r.ids)
}

// BeforeHandler names the span by the method, for whoever looks at spans that
// have not ended.
func (h *hook) BeforeHandler(ctx context.Context, call *interceptor.Call, method *interceptor.Method) (context.Context, error) {
	if r := h.own(call); r != nil && r.span.IsRecording() {
		r.retarget(h.targets.resolved(call, method))
	}
	return ctx, nil
}

// retarget names the span by t if it was named by something else.
func (r *record) retarget(t *target) {
	if t == r.target {
		return
	}
	if r.span.IsRecording() {
		if t.name != r.target.name {
			r.span.SetName(t.name)
		}
		r.span.SetAttributes(t.identity...)
	}
	r.target = t
}

// AfterResponse ends the span and records the duration.
func (h *hook) AfterResponse(ctx context.Context, call *interceptor.Call) {
	r := h.own(call)
	if r == nil {
		return
	}
	r.left = ctx.Err() != nil && context.Cause(ctx) == context.Canceled //nolint:errorlint // a cause of somebody's own is no client that left
	r.ended.Store(true)
	defer r.end() // also if a function of the user's panics
	r.retarget(h.targets.final(call))
	errorType, isError := h.classify(call)
	labels := r.extra.close()
	if r.drop&Metrics == 0 {
		h.instruments.record(r, errorType, labels)
	}
	if r.span.IsRecording() {
		r.finish(errorType, isError)
	}
	h.reportException(r)
}

// finish tells the span how the call ended.
func (r *record) finish(errorType string, isError bool) {
	attrs := make([]attribute.KeyValue, 0, 8)
	if r.call.Transport() == interceptor.HTTP {
		attrs = r.endHTTP(attrs)
	} else {
		attrs = r.endRPC(attrs)
	}
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

// end ends the span at the moment the call did, so that it takes exactly as long
// as the histogram says.
func (r *record) end() {
	if r.span.IsRecording() {
		r.over[0] = trace.WithTimestamp(r.call.StartTime().Add(r.call.Duration()))
		r.span.End(r.over[:]...)
	} else if r.drop&Traces == 0 {
		r.span.End()
	}
}

// additions are what Add was given for a call.
type additions struct {
	mu     sync.Mutex
	closed bool
	count  int
	labels []attribute.KeyValue // those that go on metrics as well
}

// close refuses further additions and returns the labels.
func (a *additions) close() []attribute.KeyValue {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	return a.labels
}
