package interceptortest

import (
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// difference is a deliberate difference of some transports from what a scenario
// expects everywhere, and why. Nothing else about the scenarios depends on the
// transport, except that plain routes have no messages.
type difference struct {
	because   string
	scenarios []string // names
	on        func(*way) bool
	never     bool       // the scenario cannot happen there
	want      string     // another trace, if not ""
	code      codes.Code // another code, if not OK; anOK for OK
}

// anOK stands for the code OK in a difference.
const anOK = codes.Code(99)

// differently returns the scenario as it is expected on a way, or nil where it
// cannot happen.
func (sc *scenario) differently(w *way) *scenario {
	here := *sc
	for _, d := range differences {
		if !slices.Contains(d.scenarios, sc.name) || !d.on(w) {
			continue
		}
		if d.never {
			return nil
		}
		if d.want != "" {
			here.want = d.want
		}
		switch d.code {
		case codes.OK:
		case anOK:
			here.code = codes.OK
		default:
			here.code = d.code
		}
	}
	return &here
}

var unknownScenarios = []string{"9 no such method or route", "13b headers where there is no such method or route"}

const undecodable = "14c the request cannot be decoded"

// differences apply in order, later ones over earlier ones.
var differences = []difference{
	{
		because:   "HTTP says 404 where gRPC says UNIMPLEMENTED: clients and proxies expect it",
		scenarios: unknownScenarios,
		on:        (*way).http,
		code:      codes.NotFound,
	},
	{
		because:   "what is not registered through Guard does not reach it; ServerOptions does that",
		scenarios: unknownScenarios,
		on:        func(w *way) bool { return w.is(grpcGuard) },
		never:     true,
	},
	{
		because:   "a bare handler answers every path",
		scenarios: unknownScenarios,
		on:        func(w *way) bool { return w.is(plainBare) },
		never:     true,
	},
	{
		because:   "grpc-go sends the status of a request it cannot decode by itself, with INTERNAL; hooks observe it",
		scenarios: []string{undecodable},
		on:        func(w *way) bool { return w.is(grpcServer, grpcGuard, grpcOptions, grpcMounted) },
		want:      "BR123 BH123 OE321 AR321 DF",
		code:      codes.Internal,
	},
	{
		because:   "interceptors run after decode, so what cannot be decoded never reaches the hooks",
		scenarios: []string{undecodable},
		on:        func(w *way) bool { return w.is(grpcOptions) && w.kind == interceptor.Unary },
		never:     true,
	},
	{
		because:   "in process there are no bytes that could be undecodable",
		scenarios: []string{undecodable},
		on:        func(w *way) bool { return w.is(inProcess) },
		never:     true,
	},
	{
		because:   "generated gateway code takes an undecodable message of a bidi stream for the end of the request",
		scenarios: []string{undecodable},
		on:        func(w *way) bool { return w.rest() && w.kind == interceptor.BidiStream },
		want:      "BR123 BH123 HND TX321 RS321 AR321 DF",
		code:      anOK,
	},
	{
		because:   "a stream encodes a message when it is sent, after BeforeResponse",
		scenarios: []string{"10 the reply cannot be encoded"},
		on:        func(w *way) bool { return w.kind != interceptor.Unary },
		want:      "BR123 BH123 RX123 HND TX321 RS321 OE321 AR321 DF",
	},
	{
		because:   "the reply of a unary handler is sent when it has returned, and by then the client has left",
		scenarios: []string{"14a the client leaves and the handler does not mind"},
		on:        func(w *way) bool { return w.kind == interceptor.Unary && !w.plain() },
		want:      "BR123 BH123 RX123 HND OE321 RS321 AR321 DF",
	},
}
