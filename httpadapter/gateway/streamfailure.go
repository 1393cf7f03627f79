package gateway

import (
	"context"
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
	if repliedHTTP(call) && !call.Committed() {
		panic(&aborted{}) // the connection cannot return such a reply and fails instead
	}
	failed := settledFailure(call, err)
	if failed != nil {
		err = failed
	} else {
		err = ownFailure(call, err)
		dispatchOf(call).end(err) // before generated code, unwinding, cancels it without a cause
	}
	switch {
	case !call.Committed() && (failed == nil || newPublicError(err).httpStatus != 0):
		panic(&aborted{err, true}) // the runtime would not let a reply or an HTTP status be chosen
	case failed == nil:
		x.BeforeEnd(func() {
			if ops.Failed(call) == nil {
				_ = ops.Fail(call, err, true) // the client has been told
			}
		})
	}
	return g.userStreamStatus(ctx, err)
}

// rpcMayRun tells whether the RPC of the call has a goroutine that may not have
// ended: it answers with a stream and the connection has taken the call over.
// Where it has not, it no longer can.
func (a *answer) rpcMayRun(d *dispatch) bool {
	return d.cancel != nil && d.armed.Load() && ops.Claim(a.r.Context(), a.g.stack, a.call.Method().Name()) == nil
}

// failAfterRPC fails a call whose RPC may still run, because its messages cannot
// leave. Phases of one call never overlap: the RPC's side is cancelled, with err
// as the cause, and runs OnError for it; what is left to do waits for it. The
// writer is then the one the gateway got, as those of middlewares may be closed.
func (a *answer) failAfterRPC(d *dispatch, err error) {
	d.end(err)
	a.w = d.w
	a.x.BeforeEnd(func() {
		if failed := ops.Failed(a.call); failed != nil {
			err = failed
		}
		a.settle(err)
	})
}

// end ends the RPC with err as the cause of the cancellation.
func (d *dispatch) end(err error) {
	if d.cancel != nil {
		d.cancel(newPublicError(err))
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
