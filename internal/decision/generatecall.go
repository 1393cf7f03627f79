package decision

import "slices"

// token returns a credential of a caller who is often good enough for what is demanded, and often nearly so.
func (g *Generator) token(server *Server, demand *Demand) *Token {
	t := &Token{Scheme: pick(g, server.Schemes), Verdict: g.verdict()}
	if accepted := common(server.Schemes, demand.Schemes); len(accepted) > 0 && g.chance(90) {
		t.Scheme = pick(g, accepted)
	}
	c := &t.Caller
	c.Subject, c.Issuer = pick(g, []string{"alice", "bob", "root"}), pick(g, []string{"", "https://issuer.test"})
	c.Scopes = g.nearly(demand.Scopes, scopes, almostScopes)
	var needed []string
	for _, anyOf := range demand.Roles {
		needed = append(needed, pick(g, anyOf))
	}
	c.Roles = g.nearly(needed, roles, almostRoles)
	c.Claims = map[string]any{}
	if g.chance(75) {
		c.Claims["team"] = pick(g, []any{"red", "red", "blue", 7.0})
	}
	if g.chance(75) {
		c.Claims["level"] = pick(g, []any{1.0, 2.0, 3.0, 4.0, 5.0, "5"})
	}
	if g.chance(75) {
		c.Claims["verified"] = pick(g, []any{true, true, false, "true"})
	}
	if t.Verdict == Nameless {
		c.Subject = ""
	}
	return t
}

func (g *Generator) verdict() Verdict {
	switch n := g.rand.IntN(100); {
	case n < 60:
		return Good
	case n < 66:
		return Expired
	case n < 72:
		return Forged
	case n < 74:
		return Nameless
	case n < 76:
		return Nil
	case n < 88:
		return Unreachable
	}
	return Busy
}

// nearly returns what is needed, sometimes less one, and sometimes with others.
func (g *Generator) nearly(needed, others, almost []string) []string {
	names := slices.Clone(needed)
	if len(names) > 0 && g.chance(25) {
		i := g.rand.IntN(len(names))
		names = slices.Delete(names, i, i+1)
		if g.chance(70) {
			names = append(names, pick(g, almost))
		}
	}
	if g.chance(30) {
		names = append(names, pick(g, others))
	}
	if g.chance(10) {
		names = append(names, pick(g, almost))
	}
	return names
}

// Call returns one call of the world's method.
func (g *Generator) Call(w *World) Call {
	c := Call{Kind: w.Kind, Messages: []Message{g.message()}}
	for c.Kind == "bidi stream" && len(c.Messages) < 3 && g.chance(50) {
		c.Messages = append(c.Messages, g.message())
	}
	g.send(&c.Sent, w)
	if g.chance(10) {
		c.Sent.Decoys = append(c.Sent.Decoys, Decoy{pick(g, Places), pick(g, w.Tokens)})
	}
	return c
}

func (g *Generator) message() Message {
	return Message{Text: pick(g, texts), UpperCase: g.chance(50)}
}

func (g *Generator) send(s *Sent, w *World) {
	switch n := g.rand.IntN(100); {
	case n < 5: // nothing
	case n < 70:
		g.present(s, pick(g, w.Tokens), pick(g, []Shape{Plain, Plain, Plain, MixedCase, TwoSpaces}))
	case n < 80:
		g.present(s, pick(g, w.Tokens), Shape(g.rand.IntN(int(Shapes))))
	case n < 85: // the right place for another scheme
		g.present(s, &Token{Scheme: pick(g, schemes)}, Plain)
		g.exchange(s, pick(g, w.Tokens))
	default: // twice, perhaps in one place
		t := pick(g, w.Tokens)
		g.present(s, t, Plain)
		if g.chance(50) {
			t = pick(g, w.Tokens)
		}
		g.present(s, t, pick(g, []Shape{Plain, Plain, Empty, Joined}))
	}
}

// present puts the token where it belongs.
func (g *Generator) present(s *Sent, t *Token, shape Shape) {
	switch t.Scheme {
	case "mtls":
		s.Certificate, s.OfClient = VerifiedCertificate, t
		if shape > TwoSpaces {
			s.Certificate = UnverifiedCertificate
		}
	case "apikey":
		if shape < NoScheme || shape == NoScheme || shape == WrongName || shape == NoToken {
			shape = Plain // a key has no name before it
		}
		s.Key = append(s.Key, Value{Shape: shape, Token: t})
	default:
		s.Authorization = append(s.Authorization, Value{Shape: shape, Name: t.Scheme, Token: t})
	}
}

// exchange puts the token in the place of those that are there.
func (g *Generator) exchange(s *Sent, t *Token) {
	for i := range s.Authorization {
		s.Authorization[i].Token = t
	}
	for i := range s.Key {
		s.Key[i].Token = t
	}
	if s.OfClient != nil {
		s.OfClient = t
	}
}
