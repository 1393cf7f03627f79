package authn_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

func expiring(at time.Time) *interceptor.Stack {
	return quiet(authn.New(authn.Bearer(authn.VerifierFunc(func(context.Context, string) (*authn.Principal, error) {
		return authn.NewPrincipal("alice", authn.WithExpiry(at)), nil
	}))))
}

func TestExpiredPrincipalIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, late := range []time.Duration{0, time.Nanosecond, time.Hour} {
			for _, m := range []*interceptor.Method{unary, stream, route} {
				checkRefusal(t, admit(t, expiring(time.Now().Add(-late)), m, bearing("Bearer x")), "Bearer")
			}
		}
		if c := admit(t, expiring(time.Now().Add(time.Nanosecond)), unary, bearing("Bearer x")); c.Err() != nil {
			t.Errorf("refused a nanosecond before the expiry: %v", c.Err())
		}
	})
}

func TestStreamsEndAtExpiry(t *testing.T) {
	t.Parallel()
	for _, m := range []*interceptor.Method{stream, route} {
		synctest.Test(t, func(t *testing.T) {
			c := admit(t, expiring(time.Now().Add(time.Minute)), m, bearing("Bearer x"))
			ctx := ops.Inner(c)
			time.Sleep(time.Minute - time.Nanosecond) // virtual time
			synctest.Wait()
			if ctx.Err() != nil {
				t.Fatalf("%s: the context ended before the expiry: %v", m.Name(), ctx.Err())
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			cause := interceptor.StatusOf(context.Cause(ctx))
			if ctx.Err() == nil || cause.Code() != codes.Unauthenticated || cause.Message() != "the credential has expired" {
				t.Fatalf("%s: context %v, cause %v; want it ended as Unauthenticated", m.Name(), ctx.Err(), cause)
			}
			err := ops.Finish(c, ctx.Err(), nil)
			if got := interceptor.StatusOf(err); got.Code() != codes.Unauthenticated {
				t.Errorf("%s: a handler that returns the context's error ends as %v; want Unauthenticated", m.Name(), got)
			}
		})
	}
}

func TestUnaryCallsMayFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := admit(t, expiring(time.Now().Add(time.Minute)), unary, bearing("Bearer x"))
		if deadline, ok := ops.Inner(c).Deadline(); ok {
			t.Errorf("a unary call got the deadline %v", deadline)
		}
	})
}

// TestHeldMessage: who holds the message of a unary call back cannot have its handler run
// by a credential that has expired meanwhile.
func TestHeldMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for wait, want := range map[time.Duration]codes.Code{time.Minute - time.Nanosecond: codes.OK, time.Minute: codes.Unauthenticated} {
			c := admit(t, expiring(time.Now().Add(time.Minute)), unary, bearing("Bearer x"))
			time.Sleep(wait) // virtual time
			if err := ops.Receive(c, &emptypb.Empty{}, -1); interceptor.StatusOf(err).Code() != want {
				t.Errorf("after %v: %v, want %v", wait, err, want)
			}
		}
	})
}

func TestEarlierDeadlineStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := admitIn(ctx, t, expiring(time.Now().Add(time.Minute)), stream, bearing("Bearer x"))
		time.Sleep(time.Second)
		synctest.Wait()
		err := ops.Finish(c, ops.Inner(c).Err(), nil)
		if got := interceptor.StatusOf(err).Code(); got != codes.DeadlineExceeded {
			t.Errorf("code %v; want DeadlineExceeded: the client's deadline came first", got)
		}
	})
}

// TestTimerIsReleased fails inside the bubble when the deadline of a stream that
// ended early is still pending.
func TestTimerIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := admit(t, expiring(time.Now().Add(time.Hour)), stream, bearing("Bearer x"))
		ctx := ops.Inner(c)
		ops.End(c, 0)
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("the context outlives its call")
		}
	})
}
