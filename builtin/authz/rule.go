package authz

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
)

// rule is the policy of one method, compiled, with the refusals made beforehand:
// saying no must be as cheap as saying yes.
type rule struct {
	policy    *policy.Policy // whose rule it is
	access    policy.Access
	scopes    []scope
	roles     []roleSet
	onCall    []*condition // those that read no request
	onMessage []*condition // those that do
}

type scope struct {
	name    string
	missing error
}

type roleSet struct {
	anyOf   []string
	missing error
}

func newRule(p *policy.Policy, m *interceptor.Method) (*rule, error) {
	r := &rule{policy: p, access: p.Access()}
	for name := range p.Scopes() {
		r.scopes = append(r.scopes, scope{name, refusalScope(name)})
	}
	for anyOf := range p.Roles() {
		r.roles = append(r.roles, roleSet{anyOf, refusalRoles(anyOf)})
	}
	var problems []error
	for source := range p.Conditions() {
		c, err := compile(source, m)
		switch {
		case err != nil:
			problems = append(problems, err)
		case c.readsRequest:
			r.onMessage = append(r.onMessage, c)
		default:
			r.onCall = append(r.onCall, c)
		}
	}
	return r, errors.Join(problems...)
}

// admit tells whether the caller has what the policy demands of callers alone.
func (r *rule) admit(caller *authn.Principal) error {
	if caller.Subject() == "" {
		return errNobody
	}
	for i := range r.scopes {
		if !caller.HasScope(r.scopes[i].name) {
			return r.scopes[i].missing
		}
	}
	for i := range r.roles {
		if !slices.ContainsFunc(r.roles[i].anyOf, caller.HasRole) {
			return r.roles[i].missing
		}
	}
	return nil
}

// rules are those of one method: one for each policy hook of the stacks that it is
// served by, so nearly always one.
type rules struct {
	mu    sync.Mutex // serialises additions
	known atomic.Pointer[[]*rule]
}

// of returns the rule of a policy, or nil if it was not compiled at start-up.
func (r *rules) of(p *policy.Policy) *rule {
	if known := r.known.Load(); known != nil {
		for _, one := range *known {
			if one.policy == p {
				return one
			}
		}
	}
	return nil
}

func (r *rules) add(p *policy.Policy, m *interceptor.Method) (*rule, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.of(p); known != nil {
		return known, nil
	}
	added, err := newRule(p, m)
	if err != nil {
		return nil, err
	}
	var all []*rule
	if known := r.known.Load(); known != nil {
		all = slices.Clone(*known)
	}
	all = append(all, added)
	r.known.Store(&all)
	return added, nil
}
