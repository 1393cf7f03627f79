package logging

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// New returns the hook that writes a record to logger after every call, on every
// transport. It panics for a nil logger and for options that cannot work, naming
// the rule. The logger's handler gets the context that the hook's BeforeRequest
// received, which carries the call and what outer hooks put into it.
func New(logger *slog.Logger, opts ...Option) interceptor.Hook {
	if logger == nil {
		panic("logging.New(nil): pass a logger, such as slog.Default()")
	}
	h := &hook{out: logger.Handler(), constants: constantsTo(logger.Handler()), level: DefaultLevel, codes: map[codes.Code]slog.Level{}}
	for _, o := range opts {
		o.apply(h)
	}
	if h.payloads != nil {
		return &payloadHook{h}
	}
	return h
}

type hook struct {
	interceptor.Base
	out       slog.Handler
	constants func(*interceptor.Method) *constants
	level     func(*interceptor.Call) slog.Level
	codes     map[codes.Code]slog.Level // what CodeLevel chose
	slow      time.Duration             // 0 for no limit
	sampling  *sampling                 // nil for every record
	keys      []interceptor.AnyKey
	payloads  slog.Leveler // nil for none
}

var _ interceptor.Named = (*hook)(nil)

// Name returns "logging".
func (h *hook) Name() string { return "logging" }

// AfterResponse writes the record.
func (h *hook) AfterResponse(ctx context.Context, call *interceptor.Call) {
	slow := h.isSlow(call)
	level := h.levelOf(call, slow)
	if !h.out.Enabled(ctx, level) {
		return
	}
	sampled := h.sampling != nil && ordinary(call, level)
	if sampled && !h.sampling.keep(call) {
		return
	}
	// The attributes stay on the stack; the record copies them. There is no
	// source position: it would always be this line.
	var space [maxAttrs]slog.Attr
	attrs := appendCall(space[:0], call)
	if slow {
		attrs = append(attrs, slog.Bool("slow", true))
	}
	if sampled {
		attrs = append(attrs, slog.Uint64("sample_rate", h.sampling.n))
	}
	for _, k := range h.keys {
		attrs = appendKey(attrs, call, k)
	}
	attrs = appendAdded(attrs, call)
	r := slog.NewRecord(call.StartTime().Add(call.Duration()), level, "call", 0)
	r.AddAttrs(attrs...)
	_ = h.constants(call.Method()).handler(call).Handle(ctx, r) // as slog.Logger: whoever cannot log cannot log that either
}
