package httpadapter

import (
	"errors"
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// HandlerFunc is an http.Handler that may fail. A returned error is the
// handler's: it passes OnError and is then answered with the status of
// [interceptor.HTTPStatusOf], in the caller's format. Return it instead of
// writing an error; what was written before stays, and if that was a status below
// 400, the connection is aborted, because the response is incomplete.
//
// An [http.MaxBytesError] without a status of its own is answered with 413. Outside of a
// stack the error is rendered in the default format.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP calls f(w, r). Within a call of a stack the error is handed to it,
// also when foreign middleware stands between.
func (f HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := f(w, r)
	if err == nil {
		return
	}
	if x := exchangeOf(r.Context()); x != nil && !ops.Ended(&x.call) {
		noted := err // only here it has to outlive the function
		x.noted.CompareAndSwap(nil, &noted)
		return
	}
	renderDefault(w, r, tooLarge(err))
}

// takeNoted returns err, or without one what a HandlerFunc further in returned.
func (x *exchange) takeNoted(err error) error {
	if err == nil && x.noted.Load() == nil { // nearly always; small enough to be inlined
		return nil
	}
	return x.swapNoted(err)
}

func (x *exchange) swapNoted(err error) error {
	if noted := x.noted.Swap(nil); noted != nil && err == nil {
		err = *noted
	}
	return tooLarge(err)
}

// tooLarge gives the error of http.MaxBytesReader the status it stands for.
func tooLarge(err error) error {
	if err == nil {
		return nil
	}
	var limit *http.MaxBytesError
	if !errors.As(err, &limit) || interceptor.StatusOf(err).Code() != codes.Unknown {
		return err
	}
	return interceptor.NewError(codes.ResourceExhausted, "the request body is too large",
		interceptor.WithHTTPStatus(http.StatusRequestEntityTooLarge), interceptor.WithCause(err))
}
