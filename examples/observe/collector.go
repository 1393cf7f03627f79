package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// keptTraces is how many traces the collector remembers; older ones go.
const keptTraces = 100

// collector is an OpenTelemetry collector with the least that deserves the name:
// it takes spans over OTLP and keeps those of the latest traces in memory.
type collector struct {
	collectorpb.UnimplementedTraceServiceServer

	mu      sync.Mutex
	traces  map[string][]span
	order   []string      // of the traces, oldest first
	changed chan struct{} // closed at the next export
}

// span is one span and the service that exported it.
type span struct {
	*tracepb.Span
	service string
}

func newCollector() *collector {
	return &collector{traces: map[string][]span{}, changed: make(chan struct{})}
}

// Export takes the spans that a service sends.
func (c *collector) Export(_ context.Context, req *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range req.GetResourceSpans() {
		service := attributesOf(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.keep(span{s, service})
			}
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

func (c *collector) keep(s span) {
	id := hex.EncodeToString(s.GetTraceId())
	if c.traces[id] == nil {
		c.order = append(c.order, id)
		if len(c.order) > keptTraces {
			delete(c.traces, c.order[0])
			c.order = c.order[1:]
		}
	}
	c.traces[id] = append(c.traces[id], s)
}

// await returns the spans of a trace once there are n of them. They come in pieces:
// every service exports its own, and a client has its answer before the server's
// span has ended.
func (c *collector) await(ctx context.Context, traceID string, n int) ([]span, error) {
	for {
		spans, changed := c.find(traceID)
		if len(spans) >= n {
			return spans, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d spans of trace %s were exported: %w", len(spans), n, traceID, context.Cause(ctx))
		}
	}
}

func (c *collector) find(traceID string) ([]span, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.traces[traceID], c.changed
}
