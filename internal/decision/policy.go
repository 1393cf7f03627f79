package decision

import "slices"

// Access says who may call at all, as far as one place says.
type Access uint8

// The kinds of access. The zero value says nothing.
const (
	Unsaid Access = iota
	Public
	Authenticated
	Denied
)

// Block is what one place says about who may call.
type Block struct {
	Access    Access
	Schemes   []string // one of them; empty for any
	Scopes    []string // all of them
	Roles     []string // one of them
	Condition *Expr
	Override  bool // in Go only: it takes the place of what the .proto says
}

// Policy is everything that is declared about one method: in its .proto and in Go, for its service and for itself. Route
// is the same demand declared for a plain route, nil where nothing is.
type Policy struct {
	ProtoService, ProtoMethod *Block
	GoService, GoMethod       *Block
	Route                     *Block
}

// Demand is what a method demands of its callers in the end.
type Demand struct {
	Access     Access   // Unsaid: nobody has declared the method
	Schemes    []string // nil for any
	Scopes     []string
	Roles      [][]string // one of each set
	Conditions []*Expr
}

func (b *Block) asks() bool {
	return len(b.Schemes)+len(b.Scopes)+len(b.Roles) > 0 || b.Condition != nil
}

// sound tells whether what a .proto says in one place can be meant.
func (b *Block) sound(ofService bool) bool {
	switch {
	case b == nil:
		return true
	case b.Access == Unsaid && !b.asks(): // empty
		return false
	case b.Access == Public && ofService: // a method added later would be open
		return false
	case (b.Access == Public || b.Access == Denied) && b.asks():
		return false
	}
	return unique(b.Schemes) && unique(b.Scopes) && unique(b.Roles)
}

func unique(names []string) bool {
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return false
		}
	}
	return true
}

// OfRPC returns what the RPC demands. It reports false where a server must not start.
func (p *Policy) OfRPC() (Demand, bool) {
	service, own, ok := p.Blocks()
	switch {
	case !ok:
		return Demand{}, false
	case service == nil:
		return Sum(own)
	case own == nil:
		return Sum(service)
	case own.Access != Unsaid: // it replaces all that the service says
		return Sum(own)
	case service.Access == Public || service.Access == Denied:
		return Demand{}, false // own asks something of callers whom the service does not tell apart
	}
	return Sum(service, own)
}

// Blocks returns what counts of what is said about the RPC, for its service and for itself, nil where nothing is. It
// reports false where one place contradicts itself or another one.
func (p *Policy) Blocks() (service, own *Block, ok bool) {
	if !p.ProtoService.sound(true) || !p.ProtoMethod.sound(false) {
		return nil, nil, false
	}
	// A method that sets access replaces what its service says, so in Go that is what it takes the place of.
	replaced := p.ProtoMethod
	if replaced == nil && p.GoMethod != nil && p.GoMethod.Access != Unsaid {
		replaced = p.ProtoService
	}
	service, serviceOK := instead(p.GoService, p.ProtoService)
	own, ownOK := instead(p.GoMethod, replaced)
	return service, own, serviceOK && ownOK
}

// OfRoute returns what the plain route demands, as OfRPC does. A route has no message to ask about.
func (p *Policy) OfRoute() (Demand, bool) {
	d, ok := Sum(p.Route)
	return d, ok && !slices.ContainsFunc(d.Conditions, (*Expr).ReadsRequest)
}

// instead returns which of two counts: a declaration in Go replaces exactly what it says it replaces.
func instead(inGo, inProto *Block) (*Block, bool) {
	if inGo == nil {
		return inProto, true
	}
	return inGo, inGo.Override == (inProto != nil)
}

// Sum adds up what the places ask, all of which must be satisfied. It reports false where nobody could.
func Sum(blocks ...*Block) (Demand, bool) {
	d := Demand{}
	for _, b := range blocks {
		if b == nil {
			continue
		}
		d.Access = max(d.Access, Authenticated) // asking implies it
		if b.Access != Unsaid {
			d.Access = b.Access
		}
		if len(b.Schemes) > 0 {
			if d.Schemes != nil {
				d.Schemes = common(d.Schemes, b.Schemes)
			} else {
				d.Schemes = b.Schemes
			}
			if len(d.Schemes) == 0 {
				return Demand{}, false // no caller could come by any
			}
		}
		d.Scopes = append(d.Scopes[:len(d.Scopes):len(d.Scopes)], b.Scopes...)
		if len(b.Roles) > 0 {
			d.Roles = append(d.Roles, b.Roles)
		}
		if b.Condition != nil {
			d.Conditions = append(d.Conditions, b.Condition)
		}
	}
	return d, !slices.ContainsFunc(d.Conditions, (*Expr).Unknown)
}

func common(a, b []string) []string {
	both := []string{}
	for _, s := range a {
		if slices.Contains(b, s) {
			both = append(both, s)
		}
	}
	return both
}
