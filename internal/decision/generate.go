package decision

import (
	"math/rand/v2"
	"slices"
)

// Generator makes cases. The same seeds make the same ones. It is not safe for concurrent use.
type Generator struct{ rand *rand.Rand }

// NewGenerator returns a generator for one batch of a run.
func NewGenerator(seed, batch uint64) *Generator {
	return &Generator{rand.New(rand.NewPCG(seed, batch))}
}

// World is a method with a policy, and the credentials that its callers use.
type World struct {
	Policy Policy
	Kind   string
	Tokens []*Token
}

// Names that are compared. Some differ in case or length alone.
var (
	schemes = []string{"bearer", "basic", "apikey", "mtls"}
	scopes  = []string{"a.read", "a.write", "A.read", "a.readwrite", "a", "b"}
	roles   = []string{"admin", "Admin", "editor", "adm", "support team"}
	kinds   = []string{"unary", "unary", "unary", "server stream", "bidi stream"}
	texts   = []string{"", "x", "xy", "secret"}

	almostScopes = []string{"a.read,a.write", "a.read a.write", "a.*", "*", " a.read", "a.rea"}
	almostRoles  = []string{"admin ", "admin,editor", "*", "ADMIN", "admi"}
)

// chance is true in so many of a hundred cases.
func (g *Generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

func pick[T any](g *Generator, from []T) T { return from[g.rand.IntN(len(from))] }

// some returns one or two different ones.
func some(g *Generator, from []string) []string {
	i := g.rand.IntN(len(from))
	if g.chance(60) {
		return []string{from[i]}
	}
	return []string{from[i], from[(i+1+g.rand.IntN(len(from)-1))%len(from)]}
}

// Server returns how the callers of a batch can be recognised.
func (g *Generator) Server() Server {
	s := Server{Yields: g.chance(50)}
	for _, scheme := range schemes {
		if g.chance(85) {
			s.Schemes = append(s.Schemes, scheme)
		}
	}
	if len(s.Schemes) == 0 {
		s.Schemes = schemes[:1]
	}
	return s
}

// World returns a method that the server has.
func (g *Generator) World(server *Server) World {
	w := World{Policy: g.policy(), Kind: pick(g, kinds)}
	demand, _ := w.Policy.OfRPC()
	for range 24 {
		w.Tokens = append(w.Tokens, g.token(server, &demand))
	}
	return w
}

// policy returns one that is valid, most of the time.
func (g *Generator) policy() Policy {
	for {
		p := Policy{}
		if g.chance(55) {
			p.ProtoService = g.block(true, true)
		}
		if g.chance(60) {
			p.ProtoMethod = g.block(true, false)
		}
		if g.chance(15) {
			p.GoService = g.block(false, true)
			p.GoService.Override = (p.ProtoService != nil) != g.chance(5)
		}
		if g.chance(20) {
			p.GoMethod = g.block(false, false)
			replaces := p.ProtoMethod != nil || p.GoMethod.Access != Unsaid && p.ProtoService != nil
			p.GoMethod.Override = replaces != g.chance(5)
		}
		demand, valid := p.OfRPC()
		if !valid && !g.chance(20) || valid && demand.Access != Authenticated && !g.chance(45) {
			continue // too many would leave little to decide
		}
		if valid {
			p.Route = demand.Declared()
		}
		return p
	}
}

// Declared returns one declaration that demands the same. It has room for one set of roles only; the others become a
// condition. It is nil where nothing is declared.
func (d *Demand) Declared() *Block {
	if d.Access == Unsaid {
		return nil
	}
	b := &Block{Access: d.Access, Schemes: d.Schemes, Scopes: slices.Clone(d.Scopes)}
	slices.Sort(b.Scopes)
	b.Scopes = slices.Compact(b.Scopes)
	conditions := d.Conditions
	for i, anyOf := range d.Roles {
		if i == 0 {
			b.Roles = anyOf
			continue
		}
		conditions = append(conditions[:len(conditions):len(conditions)], oneOf(anyOf))
	}
	for _, c := range conditions {
		if b.Condition == nil {
			b.Condition = c
		} else {
			b.Condition = &Expr{Op: And, Args: []*Expr{b.Condition, c}}
		}
	}
	return b
}

func oneOf(roles []string) *Expr {
	e := &Expr{Op: RoleIn, Text: roles[0]}
	for _, r := range roles[1:] {
		e = &Expr{Op: Or, Args: []*Expr{e, {Op: RoleIn, Text: r}}}
	}
	return e
}

// block returns what one place says. Declarations in Go are always sound by themselves: others panic when they are made.
func (g *Generator) block(inProto, ofService bool) *Block {
	for {
		b := &Block{}
		if g.chance(45) {
			b.Access = pick(g, []Access{Public, Public, Authenticated, Authenticated, Authenticated, Authenticated, Denied})
		}
		if b.Access != Public && b.Access != Denied || g.chance(5) {
			g.ask(b)
		}
		if inProto && len(b.Scopes) > 0 && g.chance(2) {
			b.Scopes = append(b.Scopes, b.Scopes[0])
		}
		if b.sound(inProto && ofService) || inProto && g.chance(10) {
			return b
		}
	}
}

func (g *Generator) ask(b *Block) {
	if g.chance(25) {
		b.Schemes = some(g, schemes)
		if other := pick(g, schemes); !slices.Contains(b.Schemes, other) {
			b.Schemes = append(b.Schemes, other) // two places must often have some in common and some not
		}
	}
	if g.chance(40) {
		b.Scopes = some(g, scopes)
	}
	if g.chance(35) {
		b.Roles = some(g, roles)
	}
	if g.chance(40) {
		b.Condition = g.expr(2)
	}
}

// expr returns a condition of at most that many levels above its leaves.
func (g *Generator) expr(depth int) *Expr {
	if depth == 0 || g.chance(35) {
		return g.leaf()
	}
	e := &Expr{Op: pick(g, []Op{Not, And, Or, Or, Choose})}
	for range map[Op]int{Not: 1, And: 2, Or: 2, Choose: 3}[e.Op] {
		e.Args = append(e.Args, g.expr(depth-1))
	}
	return e
}

func (g *Generator) leaf() *Expr {
	e := &Expr{Op: Op(g.rand.IntN(int(Misspelt))), Number: 1 + g.rand.IntN(4)}
	if g.rand.IntN(200) == 0 {
		e.Op = Misspelt
	}
	switch e.Op {
	case SubjectIs:
		e.Text = pick(g, []string{"alice", "bob"})
	case IssuerIs:
		e.Text = pick(g, []string{"", "https://issuer.test"})
	case SchemeIs:
		e.Text = pick(g, schemes)
	case ScopeIn:
		e.Text = pick(g, scopes)
	case RoleIn:
		e.Text = pick(g, roles)
	case TeamIs:
		e.Text = pick(g, []string{"red", "blue"})
	case KindIs:
		e.Text = pick(g, kinds)
	case TextIs, TextBegins:
		e.Text = pick(g, texts)
	}
	return e
}

// Choose returns a number below n, for choices that tests make.
func (g *Generator) Choose(n int) int { return g.rand.IntN(n) }
