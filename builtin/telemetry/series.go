package telemetry

import (
	"maps"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/codes"
)

const (
	// maxSeries bounds the attribute sets that are kept. Beyond it they are made
	// for each call.
	maxSeries = 4096
	// maxOwn bounds how many values of their own a program's error types, and
	// each key given to MetricKeys, can bring to metrics.
	maxOwn = 64
)

// seriesKey is what tells the points of one target apart. All of it comes from
// closed sets.
type seriesKey struct {
	status    int // of HTTP, or the code
	errorType string
	scheme    string
	version   string
}

// series is a prepared attribute set.
type series struct{ opts []metric.RecordOption }

func newSeries(attrs []attribute.KeyValue) *series {
	return &series{opts: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}}
}

// setCache makes the attribute sets of points and keeps them.
type setCache struct {
	statusKey attribute.Key

	mu         sync.Mutex // guards what follows, and additions to targets
	kept       int
	errorTypes limit
	active     sync.Map // activeKey to metric.MeasurementOption
}

// rpc returns the set of a gRPC call.
func (c *setCache) rpc(t *target, code codes.Code, errorType string, labels []attribute.KeyValue) []metric.RecordOption {
	key := seriesKey{status: min(int(code), len(codeNames)), errorType: errorType}
	return c.find(t, key, labels, func(attrs []attribute.KeyValue, key seriesKey) []attribute.KeyValue {
		return append(attrs, c.statusKey.String(codeLabel(codes.Code(key.status))))
	})
}

// http returns the set of an HTTP call.
func (c *setCache) http(r *record, errorType string, labels []attribute.KeyValue) []metric.RecordOption {
	status := sentStatus(r.call)
	if status < 100 || status >= 600 {
		status = 0
	}
	key := seriesKey{status, errorType, schemeLabel(r.scheme()), versionLabel(r.call.Protocol())}
	return c.find(r.target, key, labels, appendHTTPLabels)
}

func appendHTTPLabels(attrs []attribute.KeyValue, key seriesKey) []attribute.KeyValue {
	attrs = append(attrs, keyURLScheme.String(key.scheme))
	if key.status != 0 {
		attrs = append(attrs, keyHTTPStatus.Int(key.status))
	}
	if key.version != "" {
		attrs = append(attrs, keyVersion.String(key.version))
	}
	return attrs
}

// find returns the set of a target and key, made by fill the first time.
func (c *setCache) find(t *target, key seriesKey, labels []attribute.KeyValue, fill func([]attribute.KeyValue, seriesKey) []attribute.KeyValue) []metric.RecordOption {
	if len(labels) == 0 {
		if s := t.known(key); s != nil {
			return s.opts
		}
	}
	key.errorType = c.admitType(key.errorType)
	if len(labels) == 0 {
		if s := t.known(key); s != nil {
			return s.opts
		}
	}
	attrs := append(make([]attribute.KeyValue, 0, 12), labels...) // first: of equal keys the last one counts
	attrs = append(attrs, t.identity...)
	attrs = fill(attrs, key)
	if key.errorType != "" {
		attrs = append(attrs, keyErrorType.String(key.errorType))
	}
	s := newSeries(attrs)
	if len(labels) == 0 {
		c.keep(t, key, s)
	}
	return s.opts
}

func (t *target) known(key seriesKey) *series {
	if sets := t.series.Load(); sets != nil {
		return (*sets)[key]
	}
	return nil
}

// keep adds a set to the cache while there is room.
func (c *setCache) keep(t *target, key seriesKey, s *series) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := map[seriesKey]*series{}
	if sets := t.series.Load(); sets != nil {
		if (*sets)[key] != nil {
			return
		}
		next = *sets
	}
	if c.kept >= maxSeries {
		return
	}
	next = maps.Clone(next)
	next[key] = s
	t.series.Store(&next)
	c.kept++
}

// admitType lets the error types of the conventions pass, and a bounded number of
// those that a classifier of the program's own came up with.
func (c *setCache) admitType(errorType string) string {
	if errorType == "" || ownErrorTypes[errorType] {
		return errorType
	}
	return c.errorTypes.admit(attribute.StringValue(errorType)).AsString()
}

// ownErrorTypes are those that DefaultClassifier gives.
var ownErrorTypes = func() map[string]bool {
	own := map[string]bool{other: true, errorPanic: true, errorAborted: true, errorCanceled: true, errorDeadline: true}
	for code := range codeNames {
		own[codeNames[code]] = true
		own[strings.ToLower(codeNames[code])] = true
	}
	for status := 500; status < 600; status++ {
		own[statusErrorType(status)] = true
	}
	return own
}()

// limit lets a bounded number of different values pass, and _OTHER for the rest.
type limit struct {
	mu   sync.Mutex
	seen map[attribute.Value]bool
}

func (l *limit) admit(v attribute.Value) attribute.Value {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[v] {
		return v
	}
	if len(l.seen) >= maxOwn {
		return attribute.StringValue(other)
	}
	if l.seen == nil {
		l.seen = map[attribute.Value]bool{}
	}
	l.seen[v] = true
	return v
}

// activeSet returns the set of a request that is being answered.
func (c *setCache) activeSet(r *record) metric.MeasurementOption {
	type activeKey struct {
		verb   attribute.Value
		scheme string
	}
	key := activeKey{r.target.identity[0].Value, schemeLabel(r.scheme())}
	if found, ok := c.active.Load(key); ok {
		return found.(metric.MeasurementOption)
	}
	made := metric.WithAttributeSet(attribute.NewSet(
		attribute.KeyValue{Key: keyHTTPMethod, Value: key.verb}, keyURLScheme.String(key.scheme)))
	found, _ := c.active.LoadOrStore(key, made)
	return found.(metric.MeasurementOption)
}
