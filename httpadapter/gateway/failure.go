package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// handleError is the mux's error handler, for everything that ends without a
// response: what the RPC answered, bodies that cannot be decoded, replies that
// cannot be encoded, routing. Failures that have not been through the hooks go
// there first; then the user's own error handler writes the outcome.
func (g *Handler) handleError(ctx context.Context, _ *runtime.ServeMux, marshaler runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	g.answerIn(ctx, marshaler, w, r).fail(err)
}

// routingError is the mux's routing error handler unless the user has one. The
// stock handler answers UNIMPLEMENTED for a method that the path does not have
// and with that 501; here the status is kept.
func routingError(ctx context.Context, mux *runtime.ServeMux, marshaler runtime.Marshaler, w http.ResponseWriter, r *http.Request, httpStatus int) {
	runtime.HTTPError(ctx, mux, marshaler, w, r, &runtime.HTTPStatusError{
		HTTPStatus: httpStatus,
		Err:        status.Error(interceptor.CodeFromHTTPStatus(httpStatus), http.StatusText(httpStatus)),
	})
}

// settledFailure returns the failure of the call if err says that it has been
// through the hooks on the RPC's side, or nil. The call's own error tells more
// than the status in err, such as an HTTP status.
func settledFailure(call *interceptor.Call, err error) error {
	if settled := (httpwire.Settled{}); errors.As(err, &settled) {
		return ops.Failed(call)
	}
	return nil
}

// ownFailure returns the failure that err is for the call.
func ownFailure(call *interceptor.Call, err error) error {
	var routed *runtime.HTTPStatusError
	st, typed := status.FromError(err)
	switch {
	case typed && strings.Contains(st.Message(), httpwire.AdviceKey):
		return ops.Misuse(call.Method().Name() + " was dispatched over a connection that is not the in-process one, which leaves out hooks that need its messages; " +
			"register it with Register…HandlerClient over the Conn() of the grpcadapter.Server that was given to gateway.New")
	case typed && st.Code() == codes.InvalidArgument && strings.Contains(st.Message(), tooLarge):
		return interceptor.NewError(codes.ResourceExhausted, "the request body is too large",
			interceptor.WithHTTPStatus(http.StatusRequestEntityTooLarge), interceptor.WithCause(err))
	case errors.As(err, &routed):
		return fromHTTPStatus(routed)
	case !typed && sentMessage(call):
		// The RPC has answered, so what failed is the way out: JSON cannot carry
		// the reply, or a forward option or rewriter refused it.
		return interceptor.NewError(codes.Internal, "internal error", interceptor.WithCause(err))
	}
	return err
}

// tooLarge is how generated code passes on that http.MaxBytesReader stopped it:
// it keeps the text and drops the error.
var tooLarge = (&http.MaxBytesError{}).Error()

// fromHTTPStatus takes over an error whose HTTP status is not that of its code.
func fromHTTPStatus(routed *runtime.HTTPStatusError) error {
	st, typed := status.FromError(routed.Err)
	if !typed {
		st = status.New(interceptor.CodeFromHTTPStatus(routed.HTTPStatus), http.StatusText(routed.HTTPStatus))
	}
	return interceptor.NewError(st.Code(), st.Message(), interceptor.WithHTTPStatus(routed.HTTPStatus), interceptor.WithCause(routed))
}
