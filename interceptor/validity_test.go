package interceptor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// until is a hook that agrees for so long.
func until(durations ...time.Duration) funcsT {
	return funcsT{BeforeHandler: func(ctx ctxT, c *callT, _ *methT) (ctxT, error) {
		c.ValidUntil(time.Time{}, nil) // for ever
		for _, d := range durations {
			c.ValidUntil(time.Now().Add(d), errDenied)
		}
		return ctx, nil
	}}
}

// TestValidUntil: a message that a client has held back for too long is refused, and
// emptied; one that came in time is not, whatever comes later.
func TestValidUntil(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		hook funcsT
		wait time.Duration
		late bool
	}{
		"in time":            {until(time.Minute), time.Minute - 1, false},
		"late":               {until(time.Minute), time.Minute, true},
		"the earliest first": {until(time.Minute, time.Hour), time.Minute, true},
		"the earliest last":  {until(time.Hour, time.Minute), time.Minute, true},
		"for ever":           {until(), 1000 * time.Hour, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			stack, _ := build(t, interceptor.FromFuncs("grants", tt.hook))
			c := new(callT)
			ops.Begin(c, stack, t.Context(), &wire{kind: driver.GRPC})
			if !ops.Request(c) || !ops.Resolve(c, newRPC(interceptor.Unary), "") {
				t.Fatalf("%s: %v", name, c.Err())
			}
			time.Sleep(tt.wait) // virtual time
			in := text("in")
			err := ops.Receive(c, in, -1)
			if (err != nil) != tt.late || (in.GetValue() == "") != tt.late {
				t.Errorf("%s: %v, message %q", name, err, in.GetValue())
			}
			time.Sleep(time.Hour)
			_, err = ops.Answer(c, text("out"), nil)
			if want := map[bool]codes.Code{true: codes.PermissionDenied, false: codes.OK}[tt.late]; interceptor.StatusOf(err).Code() != want {
				t.Errorf("%s: the call ended as %v, want %v", name, err, want)
			}
			ops.End(c, 0)
		})
	}
}

// TestValidUntilMisuse fails the call, also where the hook does not notice.
func TestValidUntilMisuse(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(time.Hour)
	for want, hook := range map[string]funcsT{
		"ValidUntil outside BeforeHandler": {BeforeRequest: func(ctx ctxT, c *callT) (ctxT, error) { c.ValidUntil(soon, errDenied); return ctx, nil }},
		"ValidUntil without an error":      {BeforeHandler: func(ctx ctxT, c *callT, _ *methT) (ctxT, error) { c.ValidUntil(soon, nil); return ctx, nil }},
	} {
		stack, log := build(t, interceptor.FromFuncs("h", hook))
		if o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run(); o.call.Code() != codes.Internal || o.reached {
			t.Errorf("code %v, reached %v", o.call.Code(), o.reached)
		}
		wantText(t, log.String(), want)
	}
	var none *callT
	none.ValidUntil(soon, errDenied)
	new(callT).ValidUntil(soon, errDenied)
}
