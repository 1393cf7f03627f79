package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/crosscut-go/crosscut/interceptor"
)

// maxStack is where the stack of a panic is cut.
const maxStack = 16 << 10

// exceptionOf returns the panic that a call failed with, or nil.
// http.ErrAbortHandler is none: it is net/http's way to end a response.
func exceptionOf(err error) *interceptor.PanicError {
	if err == nil {
		return nil // the usual case takes no allocation
	}
	var p *interceptor.PanicError
	if !errors.As(err, &p) || errors.Is(err, http.ErrAbortHandler) {
		return nil
	}
	return p
}

// reportException emits a log record for a call that failed by a panic. It is
// one record of its own rather than an event of the span, as the conventions
// prefer, so a span that was not sampled does not lose it.
func (h *hook) reportException(ctx context.Context, call *interceptor.Call, t *target, p *interceptor.PanicError) {
	name := rpcException
	if call.Transport() == interceptor.HTTP {
		name = httpException
	}
	if !h.logger.Enabled(ctx, log.EnabledParameters{Severity: log.SeverityError, EventName: name}) {
		return
	}
	var event log.Record
	event.SetEventName(name)
	event.SetSeverity(log.SeverityError)
	event.SetTimestamp(time.Now())
	event.AddAttributes(exceptionAttrs(p)...)
	event.AddAttributes(t.identity...)
	h.logger.Emit(ctx, event)
}

func exceptionAttrs(p *interceptor.PanicError) []attribute.KeyValue {
	return []attribute.KeyValue{
		keyExceptionType.String(fmt.Sprintf("%T", p.Value)),
		keyExceptionMessage.String(cut(fmt.Sprint(p.Value), maxText)),
		keyExceptionStack.String(cut(string(p.Stack), maxStack)),
	}
}
