package contender

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// Token is the bearer token of [Subject], the only caller that contenders know.
const (
	Token   = "s3cr3t-t0ken-of-alice"
	Subject = "alice"
)

// RequestID is the header that carries the request id, as HTTP spells it.
const RequestID = "X-Request-Id"

// Work is what a contender is asked to do around a call.
type Work int

// W5 is five concerns, and W6 the same five with telemetry.
const (
	W5 Work = 5
	W6 Work = 6
)

// Parts are what every contender builds its work of, so that none has a better
// logger or a cheaper limiter than another.
type Parts struct {
	Logger     *slog.Logger
	Limiter    *rate.Limiter
	Tokens     map[string]string
	Telemetry  bool // W6
	Tracers    *sdktrace.TracerProvider
	Meters     *sdkmetric.MeterProvider
	Reader     *sdkmetric.ManualReader
	Propagator propagation.TextMapPropagator
}

// NewParts makes the parts of work, logging to log. The limiter counts and never
// refuses within any benchmark; a test gives another. Close ends the providers.
func NewParts(work Work, log io.Writer) *Parts {
	reader := sdkmetric.NewManualReader()
	return &Parts{
		Logger:     slog.New(slog.NewJSONHandler(log, nil)),
		Limiter:    rate.NewLimiter(1e9, 1e9),
		Tokens:     map[string]string{Token: Subject},
		Telemetry:  work == W6,
		Tracers:    sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())),
		Meters:     sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		Reader:     reader,
		Propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
	}
}

// Close ends the providers of telemetry.
func (p *Parts) Close() {
	_ = p.Tracers.Shutdown(context.Background())
	_ = p.Meters.Shutdown(context.Background())
}

// write writes an access-log line without the source position that [slog.Logger]
// finds out for each record: what is written by hand here may be as fast as it can.
func (p *Parts) write(ctx context.Context, level slog.Level, attrs ...slog.Attr) {
	out := p.Logger.Handler()
	if !out.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(time.Now(), level, "call", 0)
	if p.Telemetry {
		var space [16]slog.Attr // so that the record grows once
		ids := spanIDs(ctx)
		attrs = append(append(space[:0], attrs...),
			slog.String("trace_id", ids.trace), slog.String("span_id", ids.span), slog.String("trace_flags", ids.flags))
	}
	r.AddAttrs(attrs...)
	_ = out.Handle(ctx, r)
}

// logged are the ids of a span as the line has them.
type logged struct{ trace, span, flags string }

// spanIDs returns the ids of the span in ctx, with one allocation.
func spanIDs(ctx context.Context) logged {
	sc := trace.SpanContextFromContext(ctx)
	traceID, spanID := sc.TraceID(), sc.SpanID()
	const first, second = 2 * len(traceID), 2 * (len(traceID) + len(spanID))
	var digits [second + 2]byte
	hex.Encode(digits[:], traceID[:])
	hex.Encode(digits[first:], spanID[:])
	hex.Encode(digits[second:], []byte{byte(sc.TraceFlags())})
	text := string(digits[:])
	return logged{text[:first], text[first:second], text[second:]}
}
