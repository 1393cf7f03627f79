package interceptor_test

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// FuzzStatus: no error is ever a success on any transport, what wraps a status
// never travels, and DebugInfo stays at home.
func FuzzStatus(f *testing.F) {
	f.Add(uint32(5), "not found", "wrapped", 404)
	f.Add(uint32(0), "ok", "", 0)
	f.Add(uint32(math.MaxUint32), "", "\x00", 200)
	f.Add(uint32(16), "who", "secret", 99999)
	f.Fuzz(func(t *testing.T, code uint32, public, wrapping string, httpStatus int) {
		debug, err := anypb.New(&errdetails.DebugInfo{Detail: "stack"})
		if err != nil {
			t.Fatal(err)
		}
		own := interceptor.NewError(codes.Code(code), public, interceptor.WithHTTPStatus(httpStatus))
		foreign := status.FromProto(&spb.Status{Code: int32(code), Message: public, Details: []*anypb.Any{debug}}).Err()
		for _, err := range []error{own, foreign} {
			if err == nil {
				continue // status.FromProto of an OK
			}
			err = fmt.Errorf("private %s: %w", wrapping, err)
			st, hs := interceptor.StatusOf(err), interceptor.HTTPStatusOf(err)
			if st.Code() == codes.OK || hs < 400 || hs > 999 {
				t.Errorf("%v went out as %v, %d", err, st.Code(), hs)
			}
			if st.Message() != public && st.Message() != "internal error" {
				t.Errorf("message %q, want %q", st.Message(), public)
			}
			if len(st.Proto().GetDetails()) != 0 {
				t.Errorf("details %v", st.Proto().GetDetails())
			}
		}
		if st := interceptor.StatusOf(errors.New(public)); st.Message() != "internal error" {
			t.Errorf("an untyped error's text travelled: %q", st.Message())
		}
	})
}

// FuzzRetryInfo: the hand-written reader agrees with protobuf on every RetryInfo,
// and survives what is none.
func FuzzRetryInfo(f *testing.F) {
	for _, d := range []*durationpb.Duration{nil, {}, {Seconds: 3}, {Seconds: 3, Nanos: 1}, {Seconds: -1}, {Nanos: -1}, {Seconds: math.MaxInt64, Nanos: 1}} {
		raw, err := proto.Marshal(&errdetails.RetryInfo{RetryDelay: d})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte{0xff, 0x0a, 0x80})
	stack, _ := build(f)
	m := newRPC(interceptor.Unary)
	header := func(raw []byte) []string {
		st := status.FromProto(&spb.Status{Code: 14, Details: []*anypb.Any{{TypeUrl: "type.googleapis.com/google.rpc.RetryInfo", Value: raw}}})
		r := &rig{stack: stack, kind: driver.HTTP, method: m}
		r.failWith(st.Err())
		return r.run().call.ResponseHeader().Values("Retry-After")
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		header(raw)
		info := &errdetails.RetryInfo{}
		if proto.Unmarshal(raw, info) != nil {
			return
		}
		clean, err := proto.Marshal(info) // each field once, as every encoder writes it
		if err != nil {
			t.Fatal(err)
		}
		got := header(clean)
		seconds := info.GetRetryDelay().GetSeconds()
		if info.GetRetryDelay().GetNanos() > 0 && seconds < math.MaxInt64 {
			seconds++
		} else if info.GetRetryDelay().GetNanos() > 0 {
			seconds = -1
		}
		if seconds < 0 {
			if got != nil {
				t.Errorf("%v became %v, want nothing", info, got)
			}
		} else if len(got) != 1 || got[0] != strconv.FormatInt(seconds, 10) {
			t.Errorf("%v became %v, want %d", info, got, seconds)
		}
	})
}
