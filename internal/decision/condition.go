package decision

import (
	"fmt"
	"strings"
)

// Op is what an [Expr] does.
type Op uint8

// The grammar of conditions. Each leaf is commented with what it is in the Common Expression Language.
const (
	SubjectIs    Op = iota // principal.subject == Text
	IssuerIs               // principal.issuer == Text
	SchemeIs               // principal.scheme == Text
	ScopeIn                // Text in principal.scopes
	RoleIn                 // Text in principal.roles
	TeamIs                 // principal.claims.team == Text
	HasTeam                // has(principal.claims.team)
	LevelAtLeast           // principal.claims.level >= Number
	Verified               // principal.claims.verified == true
	KindIs                 // method.kind == Text
	TextIs                 // request.text == Text
	TextBegins             // request.text.startsWith(Text)
	UpperCase              // request.upper_case
	Misspelt               // principal.team, which there is not
	Not                    // !A
	And                    // A && B
	Or                     // A || B
	Choose                 // A ? B : C
)

// Expr is a condition or a part of one.
type Expr struct {
	Op     Op
	Text   string
	Number int
	Args   []*Expr
}

// Truth is what an expression comes to.
type Truth uint8

// An expression is false, true, or cannot be evaluated.
const (
	False Truth = iota
	True
	Failed
)

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

// String returns the expression as policies have it.
func (e *Expr) String() string {
	switch e.Op {
	case SubjectIs:
		return fmt.Sprintf("principal.subject == %q", e.Text)
	case IssuerIs:
		return fmt.Sprintf("principal.issuer == %q", e.Text)
	case SchemeIs:
		return fmt.Sprintf("principal.scheme == %q", e.Text)
	case ScopeIn:
		return fmt.Sprintf("%q in principal.scopes", e.Text)
	case RoleIn:
		return fmt.Sprintf("%q in principal.roles", e.Text)
	case TeamIs:
		return fmt.Sprintf("principal.claims.team == %q", e.Text)
	case HasTeam:
		return "has(principal.claims.team)"
	case LevelAtLeast:
		return fmt.Sprintf("principal.claims.level >= %d.0", e.Number)
	case Verified:
		return "principal.claims.verified == true"
	case KindIs:
		return fmt.Sprintf("method.kind == %q", e.Text)
	case TextIs:
		return fmt.Sprintf("request.text == %q", e.Text)
	case TextBegins:
		return fmt.Sprintf("request.text.startsWith(%q)", e.Text)
	case UpperCase:
		return "request.upper_case"
	case Misspelt:
		return `principal.team == "red"`
	case Not:
		return fmt.Sprintf("!(%s)", e.Args[0])
	case And:
		return fmt.Sprintf("(%s) && (%s)", e.Args[0], e.Args[1])
	case Or:
		return fmt.Sprintf("(%s) || (%s)", e.Args[0], e.Args[1])
	default:
		return fmt.Sprintf("(%s) ? (%s) : (%s)", e.Args[0], e.Args[1], e.Args[2])
	}
}

// has tells whether the expression has a part that does what is asked for.
func (e *Expr) has(op func(Op) bool) bool {
	if op(e.Op) {
		return true
	}
	for _, a := range e.Args {
		if a.has(op) {
			return true
		}
	}
	return false
}

// ReadsRequest tells whether the expression is about the message.
func (e *Expr) ReadsRequest() bool {
	return e.has(func(op Op) bool { return op == TextIs || op == TextBegins || op == UpperCase })
}

// Unknown tells whether the expression names what does not exist.
func (e *Expr) Unknown() bool { return e.has(func(op Op) bool { return op == Misspelt }) }

// Has tells whether op is a part of the expression.
func (e *Expr) Has(op Op) bool { return e.has(func(o Op) bool { return o == op }) }

// Facts are what a condition can ask about.
type Facts struct {
	Caller  *Caller
	Scheme  string
	Kind    string
	Message Message
}

// Message is a request message, as far as conditions see it.
type Message struct {
	Text      string
	UpperCase bool
}

// Eval evaluates the expression. A part that fails matters only where the other parts do not settle the result.
func (e *Expr) Eval(f *Facts) Truth {
	switch e.Op {
	case Not:
		switch e.Args[0].Eval(f) {
		case True:
			return False
		case False:
			return True
		}
		return Failed
	case And:
		return settle(False, e.Args[0].Eval(f), e.Args[1].Eval(f))
	case Or:
		return settle(True, e.Args[0].Eval(f), e.Args[1].Eval(f))
	case Choose:
		switch e.Args[0].Eval(f) {
		case True:
			return e.Args[1].Eval(f)
		case False:
			return e.Args[2].Eval(f)
		}
		return Failed
	}
	return e.leaf(f)
}

// settle joins two results: the settling one wins, then a failure.
func settle(settling, a, b Truth) Truth {
	switch {
	case a == settling || b == settling:
		return settling
	case a == Failed || b == Failed:
		return Failed
	}
	return a
}

func (e *Expr) leaf(f *Facts) Truth {
	switch e.Op {
	case SubjectIs:
		return truth(f.Caller.Subject == e.Text)
	case IssuerIs:
		return truth(f.Caller.Issuer == e.Text)
	case SchemeIs:
		return truth(f.Scheme == e.Text)
	case ScopeIn:
		return truth(has(f.Caller.Scopes, e.Text))
	case RoleIn:
		return truth(has(f.Caller.Roles, e.Text))
	case HasTeam:
		_, ok := f.Caller.Claims["team"]
		return truth(ok)
	case TeamIs:
		return claimIs(f.Caller, "team", e.Text)
	case Verified:
		return claimIs(f.Caller, "verified", true)
	case LevelAtLeast:
		level, isNumber := f.Caller.Claims["level"].(float64)
		if !isNumber {
			return Failed
		}
		return truth(level >= float64(e.Number))
	case KindIs:
		return truth(f.Kind == e.Text)
	case TextIs:
		return truth(f.Message.Text == e.Text)
	case TextBegins:
		return truth(strings.HasPrefix(f.Message.Text, e.Text))
	case UpperCase:
		return truth(f.Message.UpperCase)
	}
	return Failed
}

// claimIs compares a claim, which may be of any type; one that is missing cannot be compared.
func claimIs(c *Caller, name string, want any) Truth {
	claim, ok := c.Claims[name]
	if !ok {
		return Failed
	}
	return truth(claim == want)
}
