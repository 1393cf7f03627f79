package telemetry

import (
	"context"

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
	silent      bool // the tracer drops everything
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

// BeforeRequest starts the span.
func (h *hook) BeforeRequest(ctx context.Context, call *interceptor.Call) (context.Context, error) {
	p := h.parent(ctx, call)
	if h.idle(p.ctx, call) {
		if sc := trace.SpanContextFromContext(p.ctx); sc.IsValid() {
			ids := idsOf(sc)
			tracekey.Key.Set(call, &ids)
		}
		return p.ctx, nil
	}
	r := h.begin(p, call)
	recordKey.Set(call, r)
	h.instruments.begun(r, 1)
	return r.ctx, nil
}

// idle tells whether nobody collects anything of the call: the tracer is
// OpenTelemetry's no-op one, and so are the meters. There is then no record of it, and
// what it costs is to pass the caller's trace on.
func (h *hook) idle(ctx context.Context, call *interceptor.Call) bool {
	return h.silent && h.filter == nil && !trace.SpanFromContext(ctx).IsRecording() &&
		!h.enabled(ctx, call) && !h.instruments.counting(ctx)
}

// BeforeHandler names the span by the method, for whoever looks at spans that
// have not ended.
func (h *hook) BeforeHandler(ctx context.Context, call *interceptor.Call, method *interceptor.Method) (context.Context, error) {
	if r := h.own(call); r != nil && r.span.IsRecording() {
		r.retarget(h.targets.resolved(call, method))
		r.routed = true
	}
	return ctx, nil
}

// AfterResponse ends the span and records the duration.
func (h *hook) AfterResponse(ctx context.Context, call *interceptor.Call) {
	r := h.own(call)
	if r == nil {
		h.afterIdle(ctx, call)
		return
	}
	r.close(ctx)
	defer r.end()         // also if a function of the user's panics
	defer r.extra.close() // before the span ends
	counted, recorded := r.drop&Metrics == 0 && h.enabled(r.ctx, call), r.span.IsRecording()
	panicked := exceptionOf(call.Err())
	if !counted && !recorded && panicked == nil {
		return // nobody wants to know
	}
	if !r.routed {
		r.retarget(h.targets.final(call))
	}
	errorType, isError := h.classify(call)
	labels := r.extra.close()
	if counted {
		h.instruments.record(r, errorType, labels)
	}
	if recorded {
		r.finish(errorType, isError)
	}
	if panicked != nil {
		h.reportException(r.ctx, call, r.target, panicked)
	}
}

// afterIdle keeps of a call that nobody collects what hooks further out may still ask
// [DefaultClassifier] for, and reports a panic: logs are collected apart.
func (h *hook) afterIdle(ctx context.Context, call *interceptor.Call) {
	err := call.Err()
	if err == nil {
		return
	}
	r := &record{hook: h, outer: recordOf(call), call: call, ctx: ctx, span: noSpan, origin: &noOrigin}
	r.extra.close()
	r.close(ctx)
	recordKey.Set(call, r)
	if panicked := exceptionOf(err); panicked != nil {
		h.reportException(ctx, call, h.targets.final(call), panicked)
	}
}
