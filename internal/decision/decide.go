package decision

import "slices"

// Code is the decision as a client gets it, as gRPC numbers it.
type Code uint32

// The decisions.
const (
	OK               Code = 0
	PermissionDenied Code = 7
	Exhausted        Code = 8
	Closed           Code = 13 // the server should not have been started
	Unavailable      Code = 14
	Unauthenticated  Code = 16
)

// Reason is why the decision is what it is. It is for the distribution of cases: clients do not learn it.
type Reason string

// The reasons, in the order in which checks are made: the first one that applies decides.
const (
	Invalid         Reason = "policy that cannot be meant"
	Undeclared      Reason = "nothing declared"
	DeniedToAll     Reason = "denied to everybody"
	Open            Reason = "public"
	Missing         Reason = "no credential"
	TwoCredentials  Reason = "more than one credential"
	Malformed       Reason = "malformed credential"
	UnknownScheme   Reason = "unknown scheme"
	WrongScheme     Reason = "scheme the policy does not accept"
	NotVerified     Reason = "credential refused by its verifier"
	Late            Reason = "expired credential"
	CannotVerify    Reason = "verifier unreachable"
	TooBusy         Reason = "verifier busy"
	NoScope         Reason = "scope missing"
	NoRole          Reason = "role missing"
	ConditionFalse  Reason = "condition false"
	ConditionFailed Reason = "condition cannot be evaluated"
	RefusedMessage  Reason = "condition about the message"
	Fine            Reason = "allowed"
)

// Reasons are all of them.
var Reasons = []Reason{
	Invalid, Undeclared, DeniedToAll, Open, Missing, TwoCredentials, Malformed, UnknownScheme, WrongScheme, NotVerified, Late,
	CannotVerify, TooBusy, NoScope, NoRole, ConditionFalse, ConditionFailed, RefusedMessage, Fine,
}

// Outcome is a decision.
type Outcome struct {
	Code   Code
	Reason Reason
}

// Call is what is sent to a method.
type Call struct {
	Sent     Sent
	Kind     string // of the method: "unary", "server stream", "bidi stream"
	Messages []Message
}

// Decide tells whether the call is allowed by a method that demands d; valid is false where d could not be meant.
func Decide(server *Server, d Demand, valid bool, call *Call) Outcome {
	switch {
	case !valid:
		return Outcome{Closed, Invalid}
	case d.Access == Unsaid:
		return Outcome{PermissionDenied, Undeclared}
	case d.Access == Denied:
		return Outcome{PermissionDenied, DeniedToAll}
	case d.Access == Public:
		return Outcome{OK, Open}
	}
	token, scheme, why := call.Sent.find(server)
	if why != Fine {
		return Outcome{Unauthenticated, why}
	}
	if d.Schemes != nil && !slices.Contains(d.Schemes, scheme) {
		return Outcome{Unauthenticated, WrongScheme}
	}
	if o := token.verify(scheme); o.Code != OK {
		return o
	}
	if why := d.admit(&Facts{Caller: &token.Caller, Scheme: scheme, Kind: call.Kind}, call.Messages); why != Fine {
		return Outcome{PermissionDenied, why}
	}
	return Outcome{OK, Fine}
}

func (t *Token) verify(scheme string) Outcome {
	if t.Scheme != scheme {
		return Outcome{Unauthenticated, NotVerified}
	}
	switch t.Verdict {
	case Good:
		return Outcome{OK, Fine}
	case Expired:
		return Outcome{Unauthenticated, Late}
	case Unreachable:
		return Outcome{Unavailable, CannotVerify}
	case Busy:
		return Outcome{Exhausted, TooBusy}
	}
	return Outcome{Unauthenticated, NotVerified}
}

// admit tells what is wrong with a caller who is known.
func (d *Demand) admit(f *Facts, messages []Message) Reason {
	for _, s := range d.Scopes {
		if !has(f.Caller.Scopes, s) {
			return NoScope
		}
	}
	for _, anyOf := range d.Roles {
		if !slices.ContainsFunc(anyOf, func(r string) bool { return has(f.Caller.Roles, r) }) {
			return NoRole
		}
	}
	for _, c := range d.Conditions {
		if c.ReadsRequest() {
			continue
		}
		switch c.Eval(f) {
		case False:
			return ConditionFalse
		case Failed:
			return ConditionFailed
		}
	}
	for _, c := range d.Conditions {
		if !c.ReadsRequest() {
			continue
		}
		for _, f.Message = range messages {
			if c.Eval(f) != True {
				return RefusedMessage
			}
		}
	}
	return Fine
}

func has(names []string, name string) bool { return slices.Contains(names, name) }
