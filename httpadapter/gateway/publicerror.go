package gateway

import (
	"errors"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// publicError is an error as clients may see it, for error handlers of users. It
// has only the public status, also as its text, and presents an HTTP status that
// is not the code's in the gateway's way, as a *runtime.HTTPStatusError. The
// original is found by errors.Is and errors.As.
type publicError struct {
	status     *status.Status
	httpStatus int // 0: that of the code
	original   error
}

func newPublicError(err error) *publicError {
	e := &publicError{status: httpwire.Encodable(interceptor.StatusOf(err)), original: err}
	own := interceptor.HTTPStatusOf(err)
	var routed *runtime.HTTPStatusError
	if own != interceptor.HTTPStatusFromCode(e.status.Code()) || errors.As(err, &routed) {
		e.httpStatus = own
	}
	return e
}

func (e *publicError) Error() string              { return e.status.Err().Error() }
func (e *publicError) GRPCStatus() *status.Status { return e.status }
func (e *publicError) Unwrap() error              { return e.original }

// As presents the HTTP status with the public error inside. Without it
// errors.As would find the one an original may hold, with the original's text.
func (e *publicError) As(target any) bool {
	t, ok := target.(**runtime.HTTPStatusError)
	if !ok || e.httpStatus == 0 {
		return false
	}
	*t = &runtime.HTTPStatusError{HTTPStatus: e.httpStatus, Err: e.status.Err()}
	return true
}
