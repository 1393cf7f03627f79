package interceptortest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

const trailHeader = "X-Trail"

// trail has every hook set a header in BeforeResponse.
func trail(more on) on {
	all := on{"RS1": addHeader("1"), "RS2": addHeader("2"), "RS3": addHeader("3")}
	for at, do := range more {
		all[at] = do
	}
	return all
}

func wantTrail(values ...string) func(*testing.T, *staged) {
	return func(t *testing.T, s *staged) { s.headers(t, trailHeader, values...) }
}

// headerScenarios are about response headers.
var headerScenarios = []scenario{
	{
		name:  "12 headers in BeforeResponse",
		on:    trail(nil),
		want:  "BR123 BH123 RX123 HND TX321 RS321 AR321 DF",
		check: wantTrail("3", "2", "1"),
	},
	{
		name:  "12a headers in BeforeResponse of an error",
		on:    trail(on{hnd: fail(errTyped)}),
		want:  "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code:  codes.FailedPrecondition,
		check: wantTrail("3", "2", "1"),
	},
	{
		name:  "13 headers on a rejection",
		on:    trail(on{"BH1": reject(codes.Unauthenticated, "who are you?")}),
		want:  "BR123 BH1 OE321 RS321 AR321 DF",
		code:  codes.Unauthenticated,
		check: wantTrail("3", "2", "1"),
	},
	{
		name:    "13a headers on a panic",
		on:      trail(on{hnd: panics("confidential")}),
		want:    "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code:    codes.Internal,
		reports: "panic",
		check:   wantTrail("3", "2", "1"),
	},
	{
		name:    "13b headers where there is no such method or route",
		on:      trail(nil),
		unknown: true,
		want:    "BR123 OE321 RS321 AR321 DF",
		code:    codes.Unimplemented,
		check:   wantTrail("3", "2", "1"),
	},
	{
		name:  "13c headers set early survive into an error",
		on:    on{"BR1": addHeader("early"), hnd: fail(errTyped)},
		want:  "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code:  codes.FailedPrecondition,
		check: wantTrail("early"),
	},
	{
		name: "13d headers where the client has left",
		on:   trail(on{hnd: both(clientLeaves, untilEnd)}),
		want: "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code: codes.Canceled,
		lost: true,
	},
	{
		name: "21 a default header where the handler has set it",
		on:   on{"RS2": setDefault(trailHeader, "hook"), hnd: both(sets(trailHeader, "handler"), sends("hello"))},
		want: "BR123 BH123 RX123 HND TX321 RS321 AR321 DF", replies: []string{"hello"},
		check: wantTrail("handler"),
	},
	{
		name: "21a a default header where nobody has set it",
		on:   on{"BR2": setDefault(trailHeader, "hook")},
		want: "BR123 BH123 RX123 HND TX321 RS321 AR321 DF", replies: []string{"hello"},
		check: wantTrail("hook"),
	},
	{
		name: "21b values of Vary merge",
		on:   on{"RS2": setDefault("Vary", "Origin"), hnd: both(sets("Vary", "Accept"), sends("hello"))},
		want: "BR123 BH123 RX123 HND TX321 RS321 AR321 DF", replies: []string{"hello"},
		check: func(t *testing.T, s *staged) {
			got := strings.Split(strings.ReplaceAll(strings.Join(s.client.headers("Vary"), ","), " ", ""), ",")
			slices.Sort(got)
			if !slices.Equal(got, []string{"Accept", "Origin"}) {
				t.Errorf("Vary names %q, want Accept and Origin", got)
			}
		},
	},
}

// sees checks in which steps a value can be seen, and that it cannot in others.
func sees(found func(fact) bool, at ...string) func(*testing.T, *staged) {
	return func(t *testing.T, s *staged) {
		t.Helper()
		for _, f := range s.facts() {
			if want := slices.Contains(at, f.at); found(f) != want {
				t.Errorf("%s sees the value: %v, want %v", f.at, !want, want)
			}
		}
	}
}

// contextScenarios are about what one hook shows to others.
var contextScenarios = []scenario{
	{
		name: "15 a value in the context",
		on:   on{"BR2": putValue},
		want: "BR123 BH123 RX123 HND TX321 RS321 AR321 DF",
		check: sees(func(f fact) bool { return f.value },
			"BR3", "BH1", "BH2", "BH3", "RX1", "RX2", "RX3", hnd, "TX3", "TX2", "TX1", "RS3", "RS2", "AR3", "AR2"),
	},
	{
		name:  "15a a value in the context of BeforeHandler",
		on:    on{"BH2": putValue},
		want:  "BR123 BH123 RX123 HND TX321 RS321 AR321 DF",
		check: sees(func(f fact) bool { return f.value }, "BH3", "RX1", "RX2", "RX3", hnd, "TX3", "TX2", "TX1"),
	},
	{
		name:  "15b a value in the context, on an error",
		on:    on{"BR2": putValue, hnd: fail(errTyped)},
		want:  "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
		code:  codes.FailedPrecondition,
		check: sees(func(f fact) bool { return f.value }, "BR3", "BH1", "BH2", "BH3", "RX1", "RX2", "RX3", hnd, "OE3", "OE2", "RS3", "RS2", "AR3", "AR2"),
	},
	{
		name: "15c a key in the call",
		on:   on{"BH3": setKey},
		want: "BR123 BH123 RX123 HND TX321 RS321 AR321 DF",
		check: sees(func(f fact) bool { return f.key },
			"RX1", "RX2", "RX3", hnd, "TX3", "TX2", "TX1", "RS3", "RS2", "RS1", "AR3", "AR2", "AR1"),
	},
	{
		name: "15d a key set by the handler",
		on:   on{hnd: both(setKey, sends("hello"))},
		want: "BR123 BH123 RX123 HND TX321 RS321 AR321 DF", replies: []string{"hello"},
		check: sees(func(f fact) bool { return f.key }, "TX3", "TX2", "TX1", "RS3", "RS2", "RS1", "AR3", "AR2", "AR1"),
	},
	{
		name:  "22 a hook scoped to the method",
		hooks: scoped(func(*interceptor.Method) bool { return true }),
		want:  "BR13 BH1 BR2 BH23 RX123 HND TX321 RS321 AR321 DF", replies: []string{"hello"},
	},
	{
		name:  "22a a hook scoped to a sibling",
		hooks: scoped(func(*interceptor.Method) bool { return false }),
		want:  "BR13 BH13 RX13 HND TX31 RS31 AR31 DF", replies: []string{"hello"},
	},
	{
		name:  "22b a scoped hook rejects",
		on:    on{"BR2": reject(codes.PermissionDenied, "not you")},
		hooks: scoped(func(*interceptor.Method) bool { return true }),
		want:  "BR13 BH1 BR2 OE31 RS31 AR31 DF",
		code:  codes.PermissionDenied, message: "not you",
	},
	{
		name: "22c a hook scoped to this transport",
		hooks: func(p *play) []interceptor.Hook {
			transport := interceptor.GRPC
			if p.way.http() {
				transport = interceptor.HTTP
			}
			return []interceptor.Hook{p.hook("1"), interceptor.When(interceptor.On(transport), p.hook("2")),
				interceptor.When(interceptor.Not(interceptor.On(transport)), p.hook("3"))}
		},
		want: "BR12 BH12 RX12 HND TX21 RS21 AR21 DF", replies: []string{"hello"},
	},
}

// scoped puts H2 into a When.
func scoped(picks func(*interceptor.Method) bool) func(*play) []interceptor.Hook {
	return func(p *play) []interceptor.Hook {
		h2 := interceptor.When(interceptor.SelectFunc("scoped", picks), p.hook("2"))
		return []interceptor.Hook{p.hook("1"), h2, p.hook("3")}
	}
}

func hasMessages(w *way) bool { return !w.plain() }

// messageScenarios are about messages and replies.
var messageScenarios = []scenario{
	{
		name: "3a BeforeHandler replies",
		on:   on{"BH2": reply("from H2")},
		want: "BR123 BH12 TX321 RS321 AR321 DF", replies: []string{"from H2"},
	},
	{
		name: "3b OnReceive replies",
		on:   on{"RX2": reply("from H2")},
		only: func(w *way) bool { return hasMessages(w) && !w.receivesMany() },
		want: "BR123 BH123 RX12 TX321 RS321 AR321 DF", replies: []string{"from H2"},
	},
	{
		name: "3c WrapHandler replies instead of the handler",
		on:   on{"WH2": replyInstead("from H2")},
		only: func(w *way) bool { return w.kind == interceptor.Unary },
		want: "BR123 BH123 RX123 WH2 TX321 RS321 AR321 DF", replies: []string{"from H2"},
	},
	{
		name: "3d WrapHandler around the handler",
		on:   on{"WH1": pass, "WH3": pass},
		only: func(w *way) bool { return w.kind == interceptor.Unary },
		want: "BR123 BH123 RX123 WH13 HND TX321 RS321 AR321 DF", replies: []string{"hello"},
	},
	{
		name: "3e BeforeResponse replaces the reply",
		on:   on{"RS2": reply("from H2")},
		only: func(w *way) bool { return hasMessages(w) && !w.streams() },
		want: "BR123 BH123 RX123 HND TX321 RS32 TX321 RS1 AR321 DF", replies: []string{"from H2"},
	},
	{
		name: "9a OnReceive refuses",
		on:   on{"RX2": reject(codes.InvalidArgument, "bad field")},
		only: hasMessages,
		want: "BR123 BH123 RX12 OE321 RS321 AR321 DF",
		code: codes.InvalidArgument, message: "bad field",
		check: func(t *testing.T, s *staged) {
			if s.record.reached {
				t.Error("the handler received a refused message")
			}
		},
	},
	{
		name: "9b OnSend refuses",
		on:   on{"TX2": reject(codes.DataLoss, "bad reply")},
		only: hasMessages,
		want: "BR123 BH123 RX123 HND TX32 OE321 RS321 AR321 DF", replies: []string{},
		code: codes.DataLoss, message: "bad reply",
	},
	{
		name: "28 AwaitMessage of a hook that agrees",
		on:   on{"BH2": await},
		only: hasMessages,
		want: "BR123 BH123 RX123 HND TX321 RS321 AR321 DF", replies: []string{"hello"},
	},
	{
		name: "28a AwaitMessage on a plain route",
		on:   on{"BH2": await},
		only: (*way).plain,
		want: "BR123 BH12 OE321 RS321 AR321 DF",
		code: codes.Internal, reports: "AwaitMessage on the plain route",
		check: func(t *testing.T, s *staged) {
			if s.client.httpStatus != http.StatusInternalServerError {
				t.Errorf("HTTP status %d, want 500", s.client.httpStatus)
			}
		},
	},
}
