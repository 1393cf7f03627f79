package interceptor

import (
	"net/http"

	"google.golang.org/grpc/codes"
)

// HTTPStatusFromCode returns the HTTP status that a gRPC code is answered with.
// The mapping is that of google.rpc.Code, as grpc-gateway's. A code that does
// not exist is 500.
func HTTPStatusFromCode(code codes.Code) int {
	if code < codes.Code(len(httpStatusOf)) {
		return httpStatusOf[code]
	}
	return http.StatusInternalServerError
}

var httpStatusOf = [...]int{
	codes.OK:                 http.StatusOK,
	codes.Canceled:           499, // client closed the request; no registered name
	codes.Unknown:            http.StatusInternalServerError,
	codes.InvalidArgument:    http.StatusBadRequest,
	codes.DeadlineExceeded:   http.StatusGatewayTimeout,
	codes.NotFound:           http.StatusNotFound,
	codes.AlreadyExists:      http.StatusConflict,
	codes.PermissionDenied:   http.StatusForbidden,
	codes.ResourceExhausted:  http.StatusTooManyRequests,
	codes.FailedPrecondition: http.StatusBadRequest,
	codes.Aborted:            http.StatusConflict,
	codes.OutOfRange:         http.StatusBadRequest,
	codes.Unimplemented:      http.StatusNotImplemented,
	codes.Internal:           http.StatusInternalServerError,
	codes.Unavailable:        http.StatusServiceUnavailable,
	codes.DataLoss:           http.StatusInternalServerError,
	codes.Unauthenticated:    http.StatusUnauthorized,
}

// CodeFromHTTPStatus returns the gRPC code for an HTTP status that no error
// gave, such as one that a plain handler wrote itself. Below 400 it is OK.
func CodeFromHTTPStatus(status int) codes.Code {
	switch status {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return codes.Unimplemented
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return codes.DeadlineExceeded
	case http.StatusConflict:
		return codes.Aborted
	case http.StatusPreconditionFailed:
		return codes.FailedPrecondition
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusRequestHeaderFieldsTooLarge:
		return codes.ResourceExhausted
	case 499:
		return codes.Canceled
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	switch {
	case status < 400:
		return codes.OK
	case status < 500:
		return codes.InvalidArgument
	default:
		return codes.Internal
	}
}
