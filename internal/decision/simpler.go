package decision

import "slices"

// Case is one call of one method of one server. It is self-contained.
type Case struct {
	Server Server
	Policy Policy
	Call   Call
}

// Simpler returns cases that are each a little simpler than c, and share with it what is the same. A failing case is
// made smaller by going over to the first of them that still fails, for as long as there is one.
func (c Case) Simpler() []Case {
	var all []Case
	add := func(change func(*Case)) {
		simpler := c
		change(&simpler)
		all = append(all, simpler)
	}
	for _, at := range []func(*Case) **Block{
		func(c *Case) **Block { return &c.Policy.ProtoService },
		func(c *Case) **Block { return &c.Policy.ProtoMethod },
		func(c *Case) **Block { return &c.Policy.GoService },
		func(c *Case) **Block { return &c.Policy.GoMethod },
		func(c *Case) **Block { return &c.Policy.Route },
	} {
		if b := *at(&c); b != nil {
			add(func(c *Case) { *at(c) = nil })
			for _, simpler := range b.simpler() {
				add(func(c *Case) { *at(c) = simpler })
			}
		}
	}
	if len(c.Call.Messages) > 1 {
		add(func(c *Case) { c.Call.Messages = c.Call.Messages[1:] })
		add(func(c *Case) { c.Call.Messages = c.Call.Messages[:1] })
	}
	for _, s := range c.Call.Sent.simpler() {
		add(func(c *Case) { c.Call.Sent = s })
	}
	return all
}

// simpler leaves out one thing. A declaration in Go must stay one that can be made.
func (b *Block) simpler() []*Block {
	var all []*Block
	add := func(change func(*Block)) {
		simpler := *b
		change(&simpler)
		if simpler.Access != Unsaid || simpler.asks() {
			all = append(all, &simpler)
		}
	}
	if b.Access == Authenticated {
		add(func(b *Block) { b.Access = Unsaid })
	}
	for _, at := range []func(*Block) *[]string{
		func(b *Block) *[]string { return &b.Schemes },
		func(b *Block) *[]string { return &b.Scopes },
		func(b *Block) *[]string { return &b.Roles },
	} {
		for i := range *at(b) {
			add(func(b *Block) { *at(b) = slices.Delete(slices.Clone(*at(b)), i, i+1) })
		}
	}
	if b.Condition != nil {
		add(func(b *Block) { b.Condition = nil })
		for _, part := range b.Condition.Args {
			add(func(b *Block) { b.Condition = part })
		}
	}
	return all
}

func (s *Sent) simpler() []Sent {
	var all []Sent
	add := func(change func(*Sent)) {
		simpler := *s
		change(&simpler)
		all = append(all, simpler)
	}
	if len(s.Decoys) > 0 {
		add(func(s *Sent) { s.Decoys = nil })
	}
	if s.Certificate != NoCertificate {
		add(func(s *Sent) { s.Certificate, s.OfClient = NoCertificate, nil })
	}
	for _, at := range []func(*Sent) *[]Value{
		func(s *Sent) *[]Value { return &s.Authorization },
		func(s *Sent) *[]Value { return &s.Key },
	} {
		for i, v := range *at(s) {
			add(func(s *Sent) { *at(s) = slices.Delete(slices.Clone(*at(s)), i, i+1) })
			if v.Shape != Plain {
				add(func(s *Sent) {
					*at(s) = slices.Clone(*at(s))
					(*at(s))[i].Shape = Plain
				})
			}
		}
	}
	return all
}
