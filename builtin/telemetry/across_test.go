package telemetry_test

import (
	"context"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// outgoing writes the trace headers of ctx into the metadata of a call, as
// instrumentation of clients does.
func outgoing(ctx context.Context) context.Context {
	carrier := propagation.MapCarrier{}
	w3c.Inject(ctx, carrier)
	return metadata.NewOutgoingContext(ctx, metadata.New(carrier))
}

// TestAcrossServers follows a trace from a client over REST into a handler, and
// from there over gRPC to another server.
func TestAcrossServers(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	outside, over := ended()
	second := grpcadapter.NewServer(interceptor.MustNew(outside, s.hook(telemetry.Continue)))
	pb.RegisterConformanceServiceServer(second, &service{})
	client := pb.NewConformanceServiceClient(rpcServer(t, second))

	outsideFirst, overFirst := ended()
	stack := interceptor.MustNew(outsideFirst, s.hook(telemetry.Continue))
	url := restServer(t, stack, stack, &service{unary: func(ctx context.Context) error {
		_, err := client.Unary(outgoing(ctx), &pb.UnaryRequest{})
		return err
	}})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/conformance/7", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = strange()
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	<-over
	<-overFirst

	spans, _ := s.take(t)
	if len(spans) != 2 || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, spans %v; want 200 and two", resp.StatusCode, names(spans))
	}
	inner, first := spans[0], spans[1] // in the order in which they ended
	if first.Parent.SpanID().String() != strangeSpan || inner.Parent.SpanID() != first.SpanContext.SpanID() {
		t.Errorf("%s has the parent %v and %s the parent %v", first.Name, first.Parent.SpanID(), inner.Name, inner.Parent.SpanID())
	}
	if inner.SpanContext.TraceID().String() != strangeTrace || !inner.Parent.IsRemote() {
		t.Errorf("the second server is in trace %v", inner.SpanContext.TraceID())
	}
}
