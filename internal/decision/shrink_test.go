package decision_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/internal/decision"
)

// disagreement is a case in which the hooks and the model differ.
type disagreement struct {
	decision.Case
	transport string
	want      decision.Outcome
	got       answer
}

// String tells all that is needed to see who is wrong.
func (d *disagreement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "over %s the hooks say %d (handler reached: %v), the model says %d (%s)\n", d.transport, d.got.code, d.got.reached, d.want.Code, d.want.Reason)
	fmt.Fprintf(&b, "  schemes of the server: %v, a certificate yields: %v\n", d.Server.Schemes, d.Server.Yields)
	p := &d.Policy
	for _, place := range []struct {
		name  string
		block *decision.Block
	}{{".proto service", p.ProtoService}, {".proto method", p.ProtoMethod}, {"policy.Service", p.GoService}, {"policy.Method", p.GoMethod}, {"policy.Route", p.Route}} {
		if place.block != nil {
			fmt.Fprintf(&b, "  %s: %+v\n", place.name, *place.block)
		}
	}
	sent := &d.Call.Sent
	for _, v := range sent.Authorization {
		fmt.Fprintf(&b, "  Authorization: %s, shape %d, token %+v\n", v.Name, v.Shape, *v.Token)
	}
	for _, v := range sent.Key {
		fmt.Fprintf(&b, "  X-Api-Key: shape %d, token %+v\n", v.Shape, *v.Token)
	}
	if sent.OfClient != nil {
		fmt.Fprintf(&b, "  certificate: state %d, token %+v\n", sent.Certificate, *sent.OfClient)
	}
	for _, v := range sent.Decoys {
		fmt.Fprintf(&b, "  %s: token %+v\n", v.Place, *v.Token)
	}
	fmt.Fprintf(&b, "  %s, messages %+v", d.Call.Kind, d.Call.Messages)
	return b.String()
}

// mostTries bounds how long a failing case is made smaller.
const mostTries = 500

// shrunk returns a case that fails as d does, over the same transport, and that cannot be made simpler.
func (d *disagreement) shrunk(t testing.TB, p plant) *disagreement {
	t.Helper()
	tries := 0
	for smaller := true; smaller; {
		smaller = false
		for _, c := range d.Simpler() {
			if tries++; tries > mostTries {
				return d
			}
			if found := again(t, c, d.transport, p); found != nil {
				d, smaller = found, true
				break
			}
		}
	}
	return d
}

// again runs one case by itself. It returns nil where hooks and model agree.
func again(t testing.TB, c decision.Case, over string, p plant) *disagreement {
	t.Helper()
	world := decision.World{Policy: c.Policy, Kind: c.Call.Kind, Tokens: c.Call.Sent.Tokens()}
	r := newRig(t, c.Server, []decision.World{world}, p)
	transports := r.phases()
	if p.name == "" {
		s := newSite(t, r)
		defer s.grpc.Stop()
		transports = append(transports, s.direct(r)...)
	}
	for i := range transports {
		if tr := &transports[i]; tr.name == over && tr.carries(r.served[0], &c.Call) {
			n := newCount()
			return r.compare(r.served[0], tr, &c.Call, &n)
		}
	}
	return nil
}

// TestShrunk: what a failure prints is only what matters.
func TestShrunk(t *testing.T) {
	t.Parallel()
	for _, p := range misreadings {
		if p.name != "any of the scopes will do" {
			continue
		}
		d := p.notice(t).by
		if d == nil {
			t.Fatal("the planted bug is not noticed")
		}
		d = d.shrunk(t, p)
		blocks, scopes := 0, 0
		for _, b := range []*decision.Block{d.Policy.ProtoService, d.Policy.ProtoMethod, d.Policy.GoService, d.Policy.GoMethod, d.Policy.Route} {
			if b != nil {
				blocks++
				scopes += len(b.Scopes)
			}
		}
		if blocks > 2 || scopes > 4 || len(d.Call.Messages) != 1 || len(d.Call.Sent.Tokens()) != 1 {
			t.Errorf("this could be smaller: %v", d)
		}
		t.Log(d)
	}
}
