package telemetry_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

const (
	strangeTrace  = "0af7651916cd43dd8448eb211c80319c"
	strangeSpan   = "b7ad6b7169203331"
	strangeParent = "00-" + strangeTrace + "-" + strangeSpan + "-01"
)

func strange() http.Header {
	return http.Header{"Traceparent": {strangeParent}, "Tracestate": {"vendor=secret"}, "Baggage": {"user=mallory"}}
}

// TestTrust checks on every transport what becomes of the headers of a caller.
func TestTrust(t *testing.T) {
	t.Parallel()
	never := func(p telemetry.Policy) telemetry.TrustFunc {
		return func(*interceptor.Call) telemetry.Policy { return p }
	}
	for _, tt := range []struct {
		name    string
		trust   telemetry.Trust
		header  http.Header
		joined  bool
		linked  bool
		baggage string
	}{
		{"continue", telemetry.Continue, strange(), true, false, "mallory"},
		{"restart", telemetry.Restart, strange(), false, true, ""},
		{"ignore", telemetry.Ignore, strange(), false, false, ""},
		{"function continues", never(telemetry.Continue), strange(), true, false, "mallory"},
		{"function restarts", never(telemetry.Restart), strange(), false, true, ""},
		{"function without an opinion", never(0), strange(), false, false, ""},
		{"nothing to continue", telemetry.Continue, nil, false, false, ""},
		{"nothing to link", telemetry.Restart, nil, false, false, ""},
		{"malformed", telemetry.Continue, http.Header{"Traceparent": {"00-" + strangeTrace + "-0-01"}}, false, false, ""},
		{"behind the gateway's prefix", telemetry.Continue, http.Header{"Grpc-Metadata-Traceparent": {strangeParent}, "Grpcgateway-Traceparent": {strangeParent}}, false, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			var inHandler trace.SpanContext
			var user string
			request := interceptortest.Request{Header: tt.header, Handler: func(ctx context.Context) error {
				inHandler, user = trace.SpanContextFromContext(ctx), baggage.FromContext(ctx).Member("user").Value()
				return nil
			}}
			interceptortest.Each(t, []interceptor.Hook{s.hook(tt.trust)}, request, func(t *testing.T, _ interceptortest.Result) {
				span := s.span(t)
				if joined := span.SpanContext.TraceID().String() == strangeTrace; joined != tt.joined || span.Parent.IsValid() != tt.joined {
					t.Errorf("trace %v with parent %v; want the caller's: %v", span.SpanContext.TraceID(), span.Parent.SpanID(), tt.joined)
				}
				linked := len(span.Links) == 1 && span.Links[0].SpanContext.SpanID().String() == strangeSpan
				if linked != tt.linked || len(span.Links) > 1 {
					t.Errorf("links %v, want one to the caller: %v", span.Links, tt.linked)
				}
				if linked && span.Links[0].SpanContext.TraceState().Len() > 0 {
					t.Error("the stranger's tracestate is in the link")
				}
				if user != tt.baggage {
					t.Errorf("the handler found the baggage %q, want %q", user, tt.baggage)
				}
				if inHandler.SpanID() != span.SpanContext.SpanID() {
					t.Errorf("the handler ran in span %v, want %v", inHandler.SpanID(), span.SpanContext.SpanID())
				}
			})
		})
	}
}

// outer stands for instrumentation around the server: its span, remote or local,
// is in the context that the call begins with.
func outer(ctx context.Context, remote bool) context.Context {
	id, _ := trace.TraceIDFromHex(strings.Repeat("ab", 16))
	span, _ := trace.SpanIDFromHex(strings.Repeat("cd", 8))
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: 1, Remote: remote}))
}

// TestSpanAroundTheServer checks that the policy is about remote parents alone.
func TestSpanAroundTheServer(t *testing.T) {
	t.Parallel()
	member, err := baggage.NewMember("user", "alice")
	if err != nil {
		t.Fatal(err)
	}
	bag, err := baggage.New(member)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name           string
		trust          telemetry.Trust
		remote         bool
		parent, linked bool
		baggage        bool
	}{
		{"local, continue", telemetry.Continue, false, true, false, true},
		{"local, restart", telemetry.Restart, false, true, false, true},
		{"local, ignore", telemetry.Ignore, false, true, false, true},
		{"remote, continue", telemetry.Continue, true, true, false, true},
		{"remote, restart", telemetry.Restart, true, false, true, false},
		{"remote, ignore", telemetry.Ignore, true, false, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			ctx := baggage.ContextWithBaggage(outer(t.Context(), tt.remote), bag)
			opts := []interceptortest.CallOption{interceptortest.WithContext(ctx), interceptortest.WithHooks(s.hook(tt.trust))}
			if !tt.remote { // a local span has settled what its caller is worth
				opts = append(opts, interceptortest.WithHeader("Traceparent", strangeParent))
			}
			call, _ := interceptortest.NewCall(opts...)
			kept := false
			interceptortest.RunPhases(call, func(ctx context.Context) (any, error) {
				kept = baggage.FromContext(ctx).Len() > 0
				return nil, nil
			})
			span := s.span(t)
			if has := span.Parent.SpanID().String() == strings.Repeat("cd", 8); has != tt.parent || span.Parent.IsValid() != tt.parent {
				t.Errorf("parent %v, want the outer one: %v", span.Parent.SpanID(), tt.parent)
			}
			if (len(span.Links) == 1) != tt.linked || kept != tt.baggage {
				t.Errorf("links %v, baggage kept %v; want %v, %v", span.Links, kept, tt.linked, tt.baggage)
			}
		})
	}
}

func TestTrustThatSaysNothing(t *testing.T) {
	t.Parallel()
	for name, trust := range map[string]telemetry.Trust{
		"nil": nil, "zero policy": telemetry.Policy(0), "no such policy": telemetry.Policy(9), "nil function": telemetry.TrustFunc(nil),
	} {
		if text := panicText(func() { telemetry.New(trust) }); !strings.Contains(text, "telemetry.Restart") {
			t.Errorf("%s: New panicked with %q, want what to pass", name, text)
		}
	}
}

// panicText returns what f panics with.
func panicText(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}
