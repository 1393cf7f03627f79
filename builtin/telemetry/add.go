package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"

	"github.com/crosscut-go/crosscut/interceptor"
)

const (
	// maxAdded is how many attributes Add takes for one call.
	maxAdded = 64
	// maxText is the length in bytes at which text that a client may have chosen
	// is cut.
	maxText = 1 << 10
)

// Add adds attributes to the span of the call that ctx belongs to, and those
// whose keys are listed with [MetricKeys] to its metrics as well. Handlers and
// hooks listed after the telemetry hook call it, from any goroutine, in any
// phase before the hook's AfterResponse; what comes later is dropped, and so is
// what goes beyond 64 attributes per call. A later value of a key replaces an
// earlier one. Strings are cut at 1 KiB. Attributes that the hook itself sets at
// the end of the call, such as error.type, win.
//
// Without a call, or without a telemetry hook, nothing happens.
func Add(ctx context.Context, attrs ...attribute.KeyValue) {
	call, _ := interceptor.CallFrom(ctx)
	r := recordOf(call)
	if r == nil || len(attrs) == 0 {
		return
	}
	r.add(attrs)
}

func (r *record) add(attrs []attribute.KeyValue) {
	a := &r.extra
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	attrs = attrs[:min(len(attrs), maxAdded-a.count)]
	a.count += len(attrs)
	bounded := make([]attribute.KeyValue, 0, len(attrs))
	for _, kv := range attrs {
		if !kv.Valid() {
			continue
		}
		if kv.Value.Type() == attribute.STRING {
			kv.Value = attribute.StringValue(cut(kv.Value.AsString(), maxText))
		}
		bounded = append(bounded, kv)
		if limit := r.hook.metricKeys[kv.Key]; limit != nil && isScalar(kv.Value) {
			a.labels = append(a.labels, attribute.KeyValue{Key: kv.Key, Value: limit.admit(kv.Value)})
		}
	}
	r.span.SetAttributes(bounded...) // under the lock: not after End
}

// isScalar tells whether a value may be a label. Lists have too many values, and
// nobody charts by them.
func isScalar(v attribute.Value) bool {
	switch v.Type() {
	case attribute.BOOL, attribute.INT64, attribute.FLOAT64, attribute.STRING:
		return true
	default:
		return false
	}
}

// cut shortens text without splitting a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && text[limit]&0xc0 == 0x80 {
		limit--
	}
	return text[:limit]
}
