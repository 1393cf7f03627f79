package httpwire

import (
	"unicode/utf8"

	"google.golang.org/grpc/status"
)

// Settled is the error of an RPC that continued a call of the HTTP side: OnError
// and BeforeResponse have run for it, so the layer that gets it only renders it.
// Err is the status the client gets. It is used by value.
type Settled struct{ Err error } //nolint:errname // it is named for what has happened to the call

// Error returns the text of the status.
func (e Settled) Error() string { return e.Err.Error() }

// Unwrap returns the status error.
func (e Settled) Unwrap() error { return e.Err }

// GRPCStatus returns the status, so that package status of grpc-go and the
// gateway read it like any other.
func (e Settled) GRPCStatus() *status.Status { return status.Convert(e.Err) }

// Encodable returns st with a message that every format can carry. Over the wire
// grpc-go puts U+FFFD in the place of each byte that is not UTF-8; protobuf's JSON
// would refuse the status as a whole.
func Encodable(st *status.Status) *status.Status {
	if utf8.ValidString(st.Message()) {
		return st
	}
	p := st.Proto()
	p.Message = string([]rune(st.Message()))
	return status.FromProto(p)
}
