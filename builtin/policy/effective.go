package policy

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Key holds the effective policy of a call's method, from the BeforeHandler of the
// hook made by [New] on. Hooks further in read it; the value is never nil.
var Key = interceptor.NewKey[*Policy]("policy")

// Access says who may call a method at all.
type Access uint8

// The kinds of access. The zero value is that of a method nobody declared, which
// is denied like [AccessDenied].
const (
	AccessUndeclared    Access = iota
	AccessPublic               // anybody; credentials are not looked at
	AccessAuthenticated        // callers with a valid credential
	AccessDenied               // nobody
)

// String returns the name as it stands in tables: "public", for example.
func (a Access) String() string {
	switch a {
	case AccessPublic:
		return "public"
	case AccessAuthenticated:
		return "authenticated"
	case AccessDenied:
		return "denied"
	}
	return "undeclared"
}

// Policy is what a method demands in the end, of its own and from its service. It is
// computed once per method, immutable, and safe for concurrent use. A nil Policy is
// that of a method nobody declared.
type Policy struct {
	access          Access
	schemes         []string // sorted; nil for any
	scopes          []string // sorted
	roles           [][]string
	conditions      []string
	maxRequestBytes int64
	timeout         time.Duration
	rate            *Rate
	audit           bool
}

// Access returns who may call the method.
func (p *Policy) Access() Access {
	if p == nil {
		return AccessUndeclared
	}
	return p.access
}

// Public tells whether anybody may call, so that credentials are not looked at.
func (p *Policy) Public() bool { return p.Access() == AccessPublic }

// Schemes returns the authentication schemes of which one must have identified the
// caller, in lexical order. None means any.
func (p *Policy) Schemes() iter.Seq[string] {
	if p == nil {
		return slices.Values[[]string](nil)
	}
	return slices.Values(p.schemes)
}

// AcceptsScheme tells whether callers may be identified by the authentication scheme
// of that name, in lower case.
func (p *Policy) AcceptsScheme(name string) bool {
	if p == nil {
		return false
	}
	_, listed := slices.BinarySearch(p.schemes, name)
	return listed || p.schemes == nil
}

// Scopes returns the scopes a caller must have, all of them, in lexical order.
func (p *Policy) Scopes() iter.Seq[string] {
	if p == nil {
		return slices.Values[[]string](nil)
	}
	return slices.Values(p.scopes)
}

// Roles returns sets of roles; of each set a caller must have at least one. There
// is one set per place that asks for roles: the service, the method.
func (p *Policy) Roles() iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if p == nil {
			return
		}
		for _, anyOf := range p.roles {
			if !yield(slices.Clone(anyOf)) {
				return
			}
		}
	}
}

// Conditions returns the conditions, in the Common Expression Language, that must
// all be true.
func (p *Policy) Conditions() iter.Seq[string] {
	if p == nil {
		return slices.Values[[]string](nil)
	}
	return slices.Values(p.conditions)
}

// MaxRequestBytes returns the size of the largest request message allowed, or 0
// where the policy sets none.
func (p *Policy) MaxRequestBytes() int64 {
	if p == nil {
		return 0
	}
	return p.maxRequestBytes
}

// Timeout returns how long a call may take, or 0 where the policy sets nothing.
func (p *Policy) Timeout() time.Duration {
	if p == nil {
		return 0
	}
	return p.timeout
}

// Rate returns how often the method may be called, and false where the policy does
// not say.
func (p *Policy) Rate() (Rate, bool) {
	if p == nil || p.rate == nil {
		return Rate{}, false
	}
	return *p.rate, true
}

// Audit tells whether calls are written to the audit log.
func (p *Policy) Audit() bool { return p != nil && p.audit }

// Rate is a token bucket.
type Rate struct {
	Requests uint32        // calls per interval
	Per      time.Duration // the interval
	Burst    uint32        // calls that may come at once
	Key      RateKey       // whose calls share a bucket
}

// String returns the rate as it stands in tables: "5 per 1s, burst 10, by address".
func (r Rate) String() string {
	return fmt.Sprintf("%d per %s, burst %d, by %s", r.Requests, r.Per, r.Burst, r.Key)
}

// RateKey says whose calls share a bucket.
type RateKey uint8

// What rates can count by.
const (
	RateByAddress   RateKey = iota // the client's address
	RateByPrincipal                // the principal
	RateByMethod                   // all callers of the method together
)

// String returns the name as it stands in tables: "address", for example.
func (k RateKey) String() string {
	switch k {
	case RateByPrincipal:
		return "principal"
	case RateByMethod:
		return "method"
	}
	return "address"
}
