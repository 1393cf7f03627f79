package decision_test

import (
	"crypto/tls"
	"net/http"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/decision"
)

// plant is a bug, made around the real hooks: in what they are given, or in what becomes of their answer. The zero
// plant is none.
type plant struct {
	name   string
	demand func(p *decision.Policy, d decision.Demand) decision.Demand // what a policy is read as
	judge  func(t *decision.Token)                                     // what a verifier takes a token for
	hear   func(h http.Header, c *tls.ConnectionState)                 // what hooks find on the wire
	first  func() interceptor.Hook                                     // before all others
	before func() interceptor.Hook                                     // between authn and authz
}

// misread returns the policy that the real hooks get. A demand that was misread is declared in one place.
func (p *plant) misread(from decision.Policy) decision.Policy {
	if p.demand == nil {
		return from
	}
	if d, valid := from.OfRPC(); valid {
		wrong := p.demand(&from, d)
		declared := wrong.Declared()
		return decision.Policy{ProtoMethod: declared, Route: declared}
	}
	return from
}

func (p *plant) misjudge(t decision.Token) decision.Token {
	if p.judge != nil {
		p.judge(&t)
	}
	return t
}

func (p *plant) mishear(h http.Header, c *tls.ConnectionState) {
	if p.hear != nil {
		p.hear(h, c)
	}
}

func (p *plant) outer() []interceptor.Hook { return made(p.first) }
func (p *plant) inner() []interceptor.Hook { return made(p.before) }

func made(hook func() interceptor.Hook) []interceptor.Hook {
	if hook == nil {
		return nil
	}
	return []interceptor.Hook{hook()}
}
