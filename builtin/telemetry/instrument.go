package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/crosscut-go/crosscut/interceptor"
)

// instruments are the metrics of the hook. Those that nobody asked for are nil.
type instruments struct {
	rpc    metric.Float64Histogram
	http   metric.Float64Histogram
	active metric.Int64UpDownCounter
	size   metric.Int64Histogram
	sets   setCache
}

func (in *instruments) build(s *settings) {
	meter := s.meters.Meter(scope, metric.WithSchemaURL(schemaURL))
	var errs [4]error
	in.rpc, errs[0] = meter.Float64Histogram(rpcDuration, metric.WithUnit("s"),
		metric.WithDescription("Duration of inbound RPCs."), metric.WithExplicitBucketBoundaries(s.buckets...))
	in.http, errs[1] = meter.Float64Histogram(httpDuration, metric.WithUnit("s"),
		metric.WithDescription("Duration of inbound HTTP requests."), metric.WithExplicitBucketBoundaries(s.buckets...))
	if s.active {
		in.active, errs[2] = meter.Int64UpDownCounter(httpActive, metric.WithUnit("{request}"),
			metric.WithDescription("Number of inbound HTTP requests that have not ended."))
	}
	if s.sizes {
		in.size, errs[3] = meter.Int64Histogram(httpResponseSize, metric.WithUnit("By"),
			metric.WithDescription("Size of the bodies of HTTP responses."), metric.WithExplicitBucketBoundaries(sizeBuckets...))
	}
	if err := errors.Join(errs[:]...); err != nil {
		otel.Handle(err) // such as a view that clashes; the instruments still work
	}
	in.sets.statusKey = s.statusKey
}

// begun counts a call as being answered, and with -1 as answered.
func (in *instruments) begun(r *record, change int64) {
	if in.active != nil && r.drop&Metrics == 0 && r.call.Transport() == interceptor.HTTP {
		in.active.Add(r.ctx, change, in.sets.activeSet(r))
	}
}

// enabled tells whether anybody collects what is said of the call at its end.
func (h *hook) enabled(ctx context.Context, call *interceptor.Call) bool {
	in := &h.instruments
	if call.Transport() != interceptor.HTTP {
		return in.rpc.Enabled(ctx)
	}
	return in.http.Enabled(ctx) || in.size != nil && in.size.Enabled(ctx) || h.rpcForREST && in.rpc.Enabled(ctx)
}

// counting tells whether anybody collects how many calls are being answered.
func (in *instruments) counting(ctx context.Context) bool {
	return in.active != nil && in.active.Enabled(ctx)
}

// record counts a call that has ended, with the context of its span, so that the
// point can lead to the trace.
func (in *instruments) record(r *record, errorType string, labels []attribute.KeyValue) {
	seconds := r.call.Duration().Seconds()
	if r.call.Transport() != interceptor.HTTP {
		in.rpc.Record(r.ctx, seconds, in.sets.rpc(r.target, r.call.Code(), errorType, labels)...)
		return
	}
	opts := in.sets.http(r, errorType, labels)
	in.http.Record(r.ctx, seconds, opts...)
	if sent := r.call.Sent().Bytes; in.size != nil && sent >= 0 {
		in.size.Record(r.ctx, sent, opts...)
	}
	if t := r.hook.transcoded(r.call); t != nil {
		code := r.call.Code()
		in.rpc.Record(r.ctx, seconds, in.sets.rpc(t, code, rpcErrorType(code), labels)...)
	}
}
