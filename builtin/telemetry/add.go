package telemetry

import (
	"context"
	"strings"
	"sync"

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
// what goes beyond 64 attributes per call. attrs is copied.
//
// A later value of a key replaces an earlier one. Strings are cut at 1 KiB, and
// lists of strings at 16 of them. Attributes that the hook itself sets at the end
// of the call, such as error.type, win.
//
// Without a call, or without a telemetry hook, nothing happens.
func Add(ctx context.Context, attrs ...attribute.KeyValue) {
	call, _ := interceptor.CallFrom(ctx)
	for r := recordOf(call); r != nil && len(attrs) > 0; r = r.outer {
		r.add(attrs)
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

func (r *record) add(attrs []attribute.KeyValue) {
	a := &r.extra
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	attrs = attrs[:min(len(attrs), maxAdded-a.count)]
	a.count += len(attrs)
	fit := make([]attribute.KeyValue, 0, len(attrs))
	for _, kv := range attrs {
		if !kv.Valid() {
			continue
		}
		kv.Value = boundedValue(kv.Value)
		fit = append(fit, kv)
		if limit := r.hook.metricKeys[kv.Key]; limit != nil && isScalar(kv.Value) {
			a.labels = append(a.labels, attribute.KeyValue{Key: kv.Key, Value: limit.admit(kv.Value)})
		}
	}
	r.span.SetAttributes(fit...) // under the lock: not after End
}

// boundedValue returns v with its texts as bounded and clean as those of the
// hook itself.
func boundedValue(v attribute.Value) attribute.Value {
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(cut(v.AsString(), maxText))
	case attribute.STRINGSLICE:
		return attribute.StringSliceValue(bounded(v.AsStringSlice()))
	default:
		return v
	}
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

// cut shortens text without splitting a character, and replaces what is no UTF-8:
// one such text of a stranger would make exporters lose everything that they were
// about to send with it.
func cut(text string, limit int) string {
	if len(text) > limit {
		for limit > 0 && text[limit]&0xc0 == 0x80 {
			limit--
		}
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
