package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

func exportOf(id string) *collectorpb.ExportTraceServiceRequest {
	raw, _ := hex.DecodeString(id)
	return &collectorpb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{TraceId: raw}}}},
	}}}
}

// TestCollectorForgets checks that a program that serves for long does not keep
// every trace.
func TestCollectorForgets(t *testing.T) {
	t.Parallel()
	c := newCollector()
	for i := range keptTraces + 1 {
		if _, err := c.Export(t.Context(), exportOf(fmt.Sprintf("%032x", i))); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.traces) != keptTraces || len(c.order) != keptTraces {
		t.Errorf("%d traces are kept, want %d", len(c.traces), keptTraces)
	}
	if first, _ := c.find(fmt.Sprintf("%032x", 0)); first != nil {
		t.Error("the oldest trace is kept")
	}
}

func TestCollectorStopsWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newCollector().await(ctx, callersTrace, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}
