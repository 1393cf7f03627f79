package interceptortest

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

var errUntyped = errors.New("confidential of the handler")

// scenarios are examples of the rules in the documentation of package
// interceptor. Their numbers are stable names; letters are variations. What needs
// more than one server, or a handler of its own, is in tests beside them.
var scenarios = slices.Concat(orderScenarios, failureScenarios, headerScenarios, contextScenarios, messageScenarios)

// orderScenarios are about which phases run, and in which order.
var orderScenarios = []scenario{
	{
		name:    "1 everything succeeds",
		want:    "BR123 BH123 RX123 HND TX321 RS321 AR321 DF",
		replies: []string{"hello"},
	},
	{
		name:    "2 BeforeRequest rejects",
		on:      on{"BR2": reject(codes.ResourceExhausted, "too many")},
		want:    "BR12 OE1 RS1 AR1 DF",
		code:    codes.ResourceExhausted,
		message: "too many",
	},
	{
		name:    "3 BeforeRequest replies",
		on:      on{"BR2": reply("from H2")},
		want:    "BR12 TX21 RS21 AR21 DF",
		replies: []string{"from H2"},
	},
	{
		name:    "4 BeforeHandler rejects",
		on:      on{"BH2": reject(codes.PermissionDenied, "not you")},
		want:    "BR123 BH12 OE321 RS321 AR321 DF",
		code:    codes.PermissionDenied,
		message: "not you",
		check: func(t *testing.T, s *staged) {
			for _, at := range []string{"OE3", "OE2", "OE1", "AR3", "AR2", "AR1"} {
				if f := s.fact(t, at); !errors.Is(f.err, errCause) {
					t.Errorf("%s saw %v, want the rejection", at, f.err)
				}
			}
		},
	},
	{
		name:    "5 OnError recovers",
		on:      on{hnd: fail(errUntyped), "OE2": reply("recovered")},
		want:    "BR123 BH123 RX123 HND OE32 TX321 RS321 AR321 DF",
		replies: []string{"recovered"},
	},
	{
		name:    "6 OnError replaces",
		on:      on{hnd: fail(errUntyped), "OE2": reject(codes.Aborted, "replaced")},
		want:    "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code:    codes.Aborted,
		message: "replaced",
		check: func(t *testing.T, s *staged) {
			if f := s.fact(t, "OE1"); !errors.Is(f.err, errCause) || !errors.Is(f.err, errUntyped) {
				t.Errorf("OE1 saw %v, want the replacement with the original in its chain", f.err)
			}
			if f := s.fact(t, "OE2"); errors.Is(f.err, errCause) || !errors.Is(f.err, errUntyped) {
				t.Errorf("OE2 saw %v, want the original", f.err)
			}
		},
	},
	{
		name:    "7 the handler panics",
		on:      on{hnd: panics("confidential of the panic")},
		again:   true,
		want:    "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code:    codes.Internal,
		reports: "confidential of the panic",
		check: func(t *testing.T, s *staged) {
			for _, at := range []string{"OE3", "OE2", "OE1"} {
				var p *interceptor.PanicError
				if f := s.fact(t, at); !errors.As(f.err, &p) || len(p.Stack) == 0 {
					t.Errorf("%s saw %v, want a *PanicError with a stack", at, f.err)
				}
			}
		},
	},
	{
		name:    "8 AfterResponse panics",
		on:      on{"AR2": panics("confidential of AR2")},
		want:    "BR123 BH123 RX123 HND TX321 RS321 AR321 DF",
		replies: []string{"hello"},
		reports: "panic in hook 2: confidential of AR2",
	},
}
