package telemetry

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// DefaultClassifier judges a call as the semantic conventions do, by what the
// client got. errorType is the value of error.type, "" for none.
//
//   - On gRPC UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and
//     DATA_LOSS are errors, named so. Every other code, CANCELLED included, is the
//     caller's affair, except that a code which gRPC does not have is an error,
//     as UNKNOWN is, and "_OTHER".
//   - On HTTP a status of 500 or more is an error, named "500" and so on.
//   - An HTTP exchange that was not completed is an error as well: "panic",
//     "aborted" (http.ErrAbortHandler), "canceled" (the client left),
//     "deadline_exceeded", or the code in lower case where a stream ended with a
//     server's error after its status had left. A client may leave a response that
//     was flushed, such as server-sent events, or a hijacked connection at any
//     time: that is no error.
//
// [Classifier] replaces it; a classifier may call it for the calls it has no
// opinion on. It is meant for calls that have ended.
func DefaultClassifier(call *interceptor.Call) (errorType string, isError bool) {
	if call.Transport() == interceptor.HTTP {
		errorType = httpErrorType(call)
	} else {
		errorType = rpcErrorType(call.Code())
	}
	return errorType, errorType != ""
}

// rpcErrorType names the codes that are the server's fault.
func rpcErrorType(code codes.Code) string {
	if serverFault(code) {
		return codeLabel(code)
	}
	return ""
}

func serverFault(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	default:
		return int(code) >= len(codeNames) // clients take such a code for UNKNOWN
	}
}

func httpErrorType(call *interceptor.Call) string {
	err := call.Err()
	switch status := call.HTTPStatus(); {
	case err == nil:
		return statusErrorType(status)
	case errors.Is(err, http.ErrAbortHandler):
		if left(call) {
			return canceledType(call)
		}
		return errorAborted
	case exceptionOf(err) != nil && interceptor.StatusOf(err).Code() == codes.Internal:
		return errorPanic
	case call.Code() == codes.Canceled && (left(call) || status < http.StatusBadRequest):
		return canceledType(call)
	case status >= http.StatusBadRequest:
		return statusErrorType(status)
	case call.Code() == codes.DeadlineExceeded:
		return errorDeadline
	case serverFault(call.Code()):
		return streamErrorType(call.Code())
	}
	return ""
}

func statusErrorType(status int) string {
	switch {
	case status >= 600:
		return other // not an HTTP status: whatever it meant, no client knows
	case status >= http.StatusInternalServerError:
		return strconv.Itoa(status)
	}
	return ""
}

// canceledType is the error of an HTTP exchange that its client left.
func canceledType(call *interceptor.Call) string {
	if call.Flushed() {
		return "" // a stream ends when its reader has had enough
	}
	return errorCanceled
}

// streamErrorType is the error of a response that failed when its status, a
// success, had left already.
func streamErrorType(code codes.Code) string {
	if name := codeLabel(code); name != other {
		return strings.ToLower(name)
	}
	return other
}

// left tells whether the client of an HTTP call was gone when the call ended.
func left(call *interceptor.Call) bool {
	if r := recordOf(call); r != nil && r.ended.Load() {
		return r.left
	}
	return errors.Is(call.Err(), context.Canceled)
}

// sentStatus returns the HTTP status that the client got, 0 for none. The status
// that is written for a client which has left before anything was, 499, never
// got anywhere.
func sentStatus(call *interceptor.Call) int {
	status := call.HTTPStatus()
	if status == statusClientClosed && call.Code() == codes.Canceled && left(call) {
		return 0
	}
	return status
}

// statusClientClosed is the HTTP status for CANCELLED (as in grpc-gateway).
const statusClientClosed = 499

// classify judges the call as the hook was told to.
func (h *hook) classify(call *interceptor.Call) (errorType string, isError bool) {
	if h.classifier != nil {
		if errorType, isError = h.classifier(call); !isError {
			errorType = ""
		} else if errorType == "" {
			errorType = other // conventions: a failed operation has an error.type
		}
		return errorType, isError
	}
	errorType, isError = DefaultClassifier(call)
	if h.cancelSet && wasCanceled(call) {
		return h.canceled(call)
	}
	return errorType, isError
}

// wasCanceled tells whether the client gave up on the call, in the sense in which
// both conventions speak of it.
func wasCanceled(call *interceptor.Call) bool {
	if call.Transport() == interceptor.HTTP {
		return httpErrorType(call) == errorCanceled
	}
	return call.Code() == codes.Canceled
}

// canceled is the judgement where CancelIsError has settled it.
func (h *hook) canceled(call *interceptor.Call) (string, bool) {
	switch {
	case !h.cancelIsError:
		return "", false
	case call.Transport() == interceptor.HTTP:
		return errorCanceled, true
	default:
		return codeNames[codes.Canceled], true
	}
}
