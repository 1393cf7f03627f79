package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
)

// handleStreamError is the mux's stream error handler: it returns the status
// that ends a response stream. It is handed no request, but ctx is the one that
// [Handler.annotate] found the call in.
func (g *Handler) handleStreamError(ctx context.Context, err error) *status.Status {
	call, x := g.callOf(ctx)
	if call == nil {
		return g.userStreamStatus(ctx, err)
	}
	failed := settledFailure(call, err)
	if failed != nil {
		err = failed
	} else {
		err = ownFailure(call, err)
		g.endRPC(call, err)
	}
	switch {
	case !call.Committed() && (failed == nil || newPublicError(err).httpStatus != 0):
		panic(&aborted{err, true}) // the runtime would not let a reply or an HTTP status be chosen
	case failed == nil:
		x.BeforeEnd(func() { failOnce(call, err) })
	}
	return g.userStreamStatus(ctx, err)
}

// endRPC ends the RPC whose messages cannot leave. Phases of one call never
// overlap, so it is the RPC's side that runs OnError, with err as the cause of
// the cancellation, and the HTTP side goes on when that side has returned.
func (g *Handler) endRPC(call *interceptor.Call, err error) {
	if cancel := dispatchOf(call).cancel; cancel != nil {
		cancel(newPublicError(err))
	}
}

// failOnce makes err the outcome of a call whose response has begun, unless it
// is already: the RPC may have ended by itself before it was cancelled.
func failOnce(call *interceptor.Call, err error) {
	if failed := ops.Failed(call); failed == nil || !errors.Is(failed, err) {
		ops.Fail(call, err, true)
	}
}

// userStreamStatus has the user's stream error handler make the status. The
// runtime calls that handler only on the way to a marshaler, so the marshaler is
// one that keeps what it gets.
func (g *Handler) userStreamStatus(ctx context.Context, err error) *status.Status {
	var kept statusKeeper
	runtime.HTTPStreamError(ctx, g.shadow, &kept, discard{http.Header{}}, nil, newPublicError(err))
	if kept.status == nil {
		return interceptor.StatusOf(err)
	}
	return status.FromProto(kept.status)
}

// statusKeeper is a marshaler that writes nothing and remembers the status in
// the error chunk of a stream.
type statusKeeper struct {
	runtime.JSONPb
	status *spb.Status
}

// Marshal takes the status out of the chunk.
func (k *statusKeeper) Marshal(v any) ([]byte, error) {
	if chunk, ok := v.(map[string]proto.Message); ok {
		k.status, _ = chunk["error"].(*spb.Status)
	}
	return nil, nil
}
