package interceptor

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// ErrCommitted is returned for a response header, trailer or reply that comes
// after the response headers have left.
var ErrCommitted = errors.New("crosscut: the response headers have already been sent; set headers and replies before the first byte of the response, at the latest in BeforeResponse")

// Error is an error with a code, a message for the client and a cause for the
// operator. It answers the same on every transport: gRPC clients get the status,
// HTTP clients the status mapped by [HTTPStatusFromCode] with the same message
// and details. An Error is immutable.
type Error struct {
	status     *status.Status
	cause      error
	httpStatus int
	headers    []headerField
}

type headerField struct{ key, value string }

// NewError returns an error that clients see as code with the message public.
// Nothing else of it travels: the cause given by [WithCause] is for errors.Is,
// errors.As and logs. An error may not mean success: codes.OK becomes
// codes.Internal when it is answered.
func NewError(code codes.Code, public string, opts ...ErrorOption) *Error {
	e := &Error{status: status.New(code, public)}
	for _, o := range opts {
		o.apply(e)
	}
	return e
}

// ErrorOption adds to an [Error] made by [NewError].
type ErrorOption interface{ apply(*Error) }

type errorOption func(*Error)

func (f errorOption) apply(e *Error) { f(e) }

// WithCause sets what caused the error, for errors.Is, errors.As and logs. It
// never reaches a client. Repeating it replaces the cause.
func WithCause(cause error) ErrorOption { return errorOption(func(e *Error) { e.cause = cause }) }

// WithDetails adds messages to the details of the status, as google.rpc.Status
// carries them. Details that cannot be packed are left out, and the failure joins
// the cause. A google.rpc.RetryInfo becomes Retry-After over HTTP.
func WithDetails(details ...protoadapt.MessageV1) ErrorOption {
	return errorOption(func(e *Error) {
		st, err := e.status.WithDetails(details...)
		if err != nil {
			e.cause = errors.Join(e.cause, fmt.Errorf("packing the details of an error: %w", err))
			return
		}
		e.status = st
	})
}

// WithHTTPStatus overrides the HTTP status that the code maps to; gRPC clients
// are not affected. An error may not mean success: with a status below 400 it is
// answered as 500, and INTERNAL over gRPC.
func WithHTTPStatus(httpStatus int) ErrorOption {
	return errorOption(func(e *Error) { e.httpStatus = httpStatus })
}

// WithHeader adds a response header that goes out with the error: an HTTP
// header, or gRPC header metadata. Repeating a key adds a value.
func WithHeader(key, value string) ErrorOption {
	return errorOption(func(e *Error) { e.headers = append(e.headers, headerField{key, value}) })
}

// Error returns code, public message and cause; it is for logs.
func (e *Error) Error() string {
	if e == nil {
		return "nil *interceptor.Error; return a plain nil for no error"
	}
	var b strings.Builder
	b.WriteString(e.status.Code().String())
	if m := e.status.Message(); m != "" {
		b.WriteString(": " + m)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.cause
}

// Code returns the gRPC code.
func (e *Error) Code() codes.Code { return e.GRPCStatus().Code() }

// GRPCStatus returns the status as clients get it; it makes the error work with
// package status of grpc-go.
func (e *Error) GRPCStatus() *status.Status {
	if e == nil {
		return nil
	}
	return e.status
}

// PanicError is the failure of a call whose handler or hook panicked. Clients
// get INTERNAL without its text.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // the stack of the panicking goroutine, as debug.Stack prints it
	Hook  string // the hook that panicked, or "" for the handler
}

// Error returns the panic's value, for logs; the stack is in the field.
func (e *PanicError) Error() string {
	if e.Hook != "" {
		return fmt.Sprintf("panic in hook %s: %v", e.Hook, e.Value)
	}
	return fmt.Sprintf("panic: %v", e.Value)
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// GRPCStatus returns INTERNAL with a fixed text.
func (e *PanicError) GRPCStatus() *status.Status { return status.New(codes.Internal, blandMessage) }

// StatusError is the failure of a plain handler that wrote a status of 400 or
// more itself. OnError can observe it, but the handler's answer goes out as it
// is.
type StatusError struct {
	HTTPStatus int
}

// Error names the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the handler answered %d %s", e.HTTPStatus, http.StatusText(e.HTTPStatus))
}

// GRPCStatus returns the code for the status, by [CodeFromHTTPStatus].
func (e *StatusError) GRPCStatus() *status.Status {
	return status.New(CodeFromHTTPStatus(e.HTTPStatus), http.StatusText(e.HTTPStatus))
}

// misuse is a bug of a hook or of a registration: INTERNAL for the client, and a
// text for the operator that says what happened and what to do.
type misuse struct{ hook, text string }

func (e *misuse) Error() string {
	if e.hook != "" {
		return "crosscut: hook " + e.hook + ": " + e.text
	}
	return "crosscut: " + e.text
}

func (e *misuse) GRPCStatus() *status.Status { return status.New(codes.Internal, blandMessage) }

func misusef(format string, args ...any) error {
	return &misuse{text: fmt.Sprintf(format, args...)}
}

// misusef is a misuse by this hook.
func (e *entry) misusef(format string, args ...any) error {
	return &misuse{e.name, fmt.Sprintf(format, args...)}
}

// named adds the hook to a misuse that one of its phases returned.
func named(e *entry, err error) error {
	if m, ok := err.(*misuse); ok && m.hook == "" { //nolint:errorlint // what the hook wrapped is its own text
		return &misuse{e.name, m.text}
	}
	return err
}

// replaced is an error that stands in for an earlier failure. Its status is that
// of the replacement alone; the earlier failure stays reachable.
type replaced struct{ newer, older error }

func (e *replaced) Error() string              { return e.newer.Error() }
func (e *replaced) Unwrap() []error            { return []error{e.newer, e.older} }
func (e *replaced) GRPCStatus() *status.Status { return StatusOf(e.newer) }
