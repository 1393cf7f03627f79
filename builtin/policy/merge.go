package policy

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// merge adds up what the service and the method ask for, each nil where it says
// nothing. A method that sets access replaces all that its service says. The policy is
// nil where nobody says who may call.
func merge(service, own *block) (*Policy, error) {
	if service == nil || own != nil && own.access != AccessUndeclared {
		return effective(own)
	}
	if asks := own.asks(); asks != "" && (service.access == AccessPublic || service.access == AccessDenied) {
		return nil, own.problem(asks, fmt.Sprintf("nothing can be asked of the caller, because the access of its service is %s by %s; set access here too", service.access, service.origin))
	}
	return effective(service, own)
}

// effective makes the policy that satisfies all blocks, the outermost first.
func effective(blocks ...*block) (*Policy, error) {
	p := &Policy{}
	for _, b := range blocks {
		if b == nil {
			continue
		}
		if err := p.add(b); err != nil {
			return nil, err
		}
	}
	if p.access == AccessUndeclared && p.asks() {
		p.access = AccessAuthenticated // only a caller who is known can satisfy it
	}
	if p.access == AccessUndeclared {
		return nil, nil
	}
	slices.Sort(p.scopes)
	p.scopes = slices.Compact(p.scopes)
	return p, nil
}

// add makes the policy demand what b does as well.
func (p *Policy) add(b *block) error {
	if b.access != AccessUndeclared {
		p.access = b.access
	}
	if err := p.addSchemes(b); err != nil {
		return err
	}
	p.scopes = append(p.scopes, b.scopes...)
	if len(b.roles) > 0 {
		p.roles = append(p.roles, slices.Sorted(slices.Values(b.roles)))
	}
	if b.condition != "" {
		p.conditions = append(p.conditions, b.condition)
	}
	return p.addLimits(b)
}

// addSchemes leaves the schemes that both accept.
func (p *Policy) addSchemes(b *block) error {
	if len(b.schemes) == 0 {
		return nil
	}
	schemes := slices.Sorted(slices.Values(b.schemes))
	if p.schemes != nil {
		schemes = slices.DeleteFunc(schemes, func(s string) bool { return !p.AcceptsScheme(s) })
	}
	if len(schemes) == 0 {
		return b.problem("schemes", "none of them is accepted by the service; name one that is, or set access too")
	}
	p.schemes = schemes
	return nil
}

func (p *Policy) addLimits(b *block) error {
	p.maxRequestBytes = stricter(p.maxRequestBytes, b.maxRequestBytes)
	p.timeout = stricter(p.timeout, b.timeout)
	p.audit = p.audit || b.audit
	if b.rate == nil {
		return nil
	}
	if p.rate != nil {
		return b.problem("rate", "the service has a rate too, and a call counts in one bucket only; set it in one place, or set access too")
	}
	p.rate = b.rate
	if p.access == AccessPublic && p.rate.Key == RateByPrincipal {
		return b.problem("rate", "access is public, so there is no principal to count by; count by address or by method")
	}
	return nil
}

// stricter returns the smaller of two limits, of which 0 is none.
func stricter[T ~int64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// asks tells whether only some callers can satisfy the policy.
func (p *Policy) asks() bool {
	return len(p.schemes)+len(p.scopes)+len(p.roles)+len(p.conditions) > 0
}

// demands returns the fields that hooks further in must enforce. Public and denied
// methods need none for access itself: the hook of this package is enough.
func (p *Policy) demands() (fields []protoreflect.FullName) {
	if p == nil {
		return nil
	}
	message := (*policyv1.Policy)(nil).ProtoReflect().Descriptor().FullName()
	for _, f := range []struct {
		name protoreflect.Name
		set  bool
	}{
		{"access", p.access == AccessAuthenticated},
		{"schemes", len(p.schemes) > 0},
		{"scopes", len(p.scopes) > 0},
		{"roles", len(p.roles) > 0},
		{"condition", len(p.conditions) > 0},
		{"max_request_bytes", p.maxRequestBytes != 0},
		{"timeout", p.timeout != 0},
		{"rate", p.rate != nil},
		{"audit", p.audit},
	} {
		if f.set {
			fields = append(fields, message.Append(f.name))
		}
	}
	return fields
}
