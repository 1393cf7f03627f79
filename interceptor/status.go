package interceptor

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// blandMessage is all a client learns of an error whose text was not written
// for clients.
const blandMessage = "internal error"

// StatusOf returns what a client gets for err. An error with a GRPCStatus method
// in its chain keeps that status's code, message and details, never the text
// wrapped around it, and loses google.rpc.DebugInfo; a status of OK becomes
// INTERNAL. Context errors are CANCELLED and DEADLINE_EXCEEDED. Every other error
// is UNKNOWN with a fixed text. A nil error is OK.
func StatusOf(err error) (st *status.Status) {
	if err == nil {
		return status.New(codes.OK, "")
	}
	defer func() {
		if recover() != nil { // a method of the error, such as of a nil pointer
			st = status.New(codes.Internal, blandMessage)
		}
	}()
	own, err := verdict(err)
	if e, ok := own.(*Error); ok && e != nil && e.httpStatus != 0 && e.httpStatus < http.StatusBadRequest {
		return status.New(codes.Internal, blandMessage) // it claims a success
	}
	if own != nil {
		return public(own.GRPCStatus())
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return status.New(codes.DeadlineExceeded, context.DeadlineExceeded.Error())
	case errors.Is(err, context.Canceled):
		return status.New(codes.Canceled, context.Canceled.Error())
	}
	return status.New(codes.Unknown, blandMessage)
}

// public makes st fit to leave the process.
func public(st *status.Status) *status.Status {
	if st == nil { // as grpc-go: a nil status says nothing about the error
		return status.New(codes.Unknown, blandMessage)
	}
	if st.Code() == codes.OK {
		return status.New(codes.Internal, blandMessage)
	}
	p := st.Proto() // a copy
	kept := p.GetDetails()[:0:0]
	for _, d := range p.GetDetails() {
		if detailName(d) != "google.rpc.DebugInfo" {
			kept = append(kept, d)
		}
	}
	if len(kept) == len(p.GetDetails()) {
		return st
	}
	p.Details = kept
	return status.FromProto(p)
}

type statusCarrier interface{ GRPCStatus() *status.Status }

// verdict finds the error in err's chain whose status counts, or nil, and the
// chain that was searched. A replacement counts alone: what it replaced is still
// there for errors.Is, but says nothing to clients.
func verdict(err error) (statusCarrier, error) {
	for {
		var own statusCarrier
		if !errors.As(err, &own) {
			return nil, err
		}
		r, ok := own.(*replaced)
		if !ok {
			return own, err
		}
		err = r.newer
	}
}

// carrier is the error whose status counts. An error with a method that panics
// has none.
func carrier(err error) (own statusCarrier) {
	defer func() {
		if recover() != nil {
			own = nil
		}
	}()
	own, _ = verdict(err)
	return own
}

func detailName(d *anypb.Any) string {
	return d.GetTypeUrl()[strings.LastIndexByte(d.GetTypeUrl(), '/')+1:]
}

// HTTPStatusOf returns the HTTP status that a client gets for err: the one given
// by [WithHTTPStatus] or written by the handler, else that of the code. It is
// never below 400 for an error, and 200 for nil.
func HTTPStatusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if s := ownHTTPStatus(err); s != 0 {
		if s < 400 || s > 999 {
			return http.StatusInternalServerError
		}
		return s
	}
	return HTTPStatusFromCode(StatusOf(err).Code())
}

// ownHTTPStatus finds the HTTP status an error carries itself.
func ownHTTPStatus(err error) int {
	switch e := carrier(err).(type) {
	case *Error:
		if e != nil {
			return e.httpStatus
		}
	case *StatusError:
		if e != nil {
			return e.HTTPStatus
		}
	}
	return 0
}

// ownHeaders finds the headers an error carries itself.
func ownHeaders(err error) []headerField {
	if e, ok := carrier(err).(*Error); ok && e != nil {
		return e.headers
	}
	return nil
}
