package decision_test

import (
	"net/http"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/decision"
)

// eachCalls is how many calls go over every transport of the conformance kit, each with servers of its own.
const eachCalls = 30

// TestEach declares demands in Go for the service and the routes of the conformance kit, and sends the same call over
// all of its transports.
func TestEach(t *testing.T) {
	t.Parallel()
	g := decision.NewGenerator(*seed, 1<<33)
	server := decision.Server{Schemes: []string{"bearer", "basic", "apikey"}}
	codes := map[decision.Code]int{}
	for done := 0; done < eachCalls; {
		w := g.World(&server)
		call := g.Call(&w)
		block, ok := everywhere(&w.Policy)
		if !ok || call.Sent.Certificate != decision.NoCertificate {
			continue
		}
		demand, valid := decision.Sum(block)
		want := decision.Decide(&server, demand, valid, &call)
		if codes[want.Code] >= eachCalls/3 {
			continue // of every sort some
		}
		codes[want.Code]++
		done++
		r := newRig(t, server, []decision.World{w}, plant{})
		stack := []interceptor.Hook{policy.New(forKit(block)...), authn.New(r.schemes()...), authz.New()}
		request := interceptortest.Request{Header: r.headers(&call.Sent)}
		interceptortest.Each(t, stack, request, func(t *testing.T, got interceptortest.Result) {
			if decision.Code(got.Code) != want.Code || got.Reached != (want.Code == decision.OK) {
				t.Errorf("%v", &disagreement{decision.Case{Server: server, Policy: decision.Policy{Route: block}, Call: call}, got.Transport, want, answer{decision.Code(got.Code), got.Reached}})
			}
		})
	}
	t.Logf("calls by code: %v", codes)
}

// everywhere returns the policy as one declaration, if it means the same whatever the kind of method and the message.
func everywhere(p *decision.Policy) (*decision.Block, bool) {
	b := p.Route
	if b == nil || b.Access == decision.Denied {
		return nil, false
	}
	if _, valid := p.OfRoute(); !valid {
		return nil, false
	}
	return b, b.Condition == nil || !b.Condition.Has(decision.KindIs)
}

// forKit declares the policy for whatever the kit calls.
func forKit(b *decision.Block) []policy.Option {
	rules := inGo(b)
	return []policy.Option{
		policy.Service("crosscut.conformance.v1.ConformanceService", rules...),
		policy.Route(http.MethodPost+" /plain", rules...),
		policy.Route("*", rules...),
	}
}
