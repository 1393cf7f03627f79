package logging

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
)

// maxPayload bounds the text of one message.
const maxPayload = 8 << 10

// payloadHook is the hook with [Payloads]. It is a type of its own so that
// without the option no call becomes one whose messages must be seen.
type payloadHook struct{ *hook }

var _ interceptor.MessageHook = (*payloadHook)(nil)

// OnReceive writes a record of a request message.
func (h *payloadHook) OnReceive(ctx context.Context, call *interceptor.Call, msg any) error {
	h.write(ctx, call, "received", msg)
	return nil
}

// OnSend writes a record of a response message.
func (h *payloadHook) OnSend(ctx context.Context, call *interceptor.Call, msg any) error {
	h.write(ctx, call, "sent", msg)
	return nil
}

func (h *payloadHook) write(ctx context.Context, call *interceptor.Call, direction string, msg any) {
	level := h.payloads.Level()
	if !h.out.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(time.Now(), level, "message", 0)
	r.AddAttrs(slog.String("method", call.Method().Name()), slog.String("direction", direction))
	if id, ok := requestid.Key.Get(call); ok {
		r.AddAttrs(slog.String("request_id", cut(id, maxName)))
	}
	r.AddAttrs(appendTrace(nil, call)...)
	if m, ok := msg.(proto.Message); ok {
		r.AddAttrs(slog.Attr{Key: "payload", Value: messageValue(m)})
	} else {
		r.AddAttrs(slog.String("payload_type", fmt.Sprintf("%T", msg)))
	}
	_ = h.out.Handle(ctx, r)
}

// messageValue prints a message without what must not be logged. A value that was
// cut is no JSON any more, so it goes out as text.
func messageValue(m proto.Message) slog.Value {
	p := printer{limit: maxPayload}
	p.message(m.ProtoReflect(), 0)
	if p.full {
		return slog.StringValue(cut(string(p.out), maxPayload))
	}
	return slog.AnyValue(json.RawMessage(p.out))
}

// safe returns a with every message in it printed by this package, since handlers
// of slog would print all of its fields, and with texts cut at limit.
func safe(a slog.Attr, limit int) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(cut(a.Value.String(), limit))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case proto.Message:
			a.Value = messageValue(v)
		case error:
			a.Value = slog.StringValue(cut(fmt.Sprint(v), limit)) // survives what Error panics with
		}
	case slog.KindGroup:
		members := a.Value.Group()
		group := make([]slog.Attr, len(members))
		for i := range members {
			group[i] = safe(members[i], limit)
		}
		a.Value = slog.GroupValue(group...)
	}
	return a
}
