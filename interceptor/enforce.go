package interceptor

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// checkEnforced closes a method whose policy nobody would keep: one that its .proto
// sets and no hook reads, and one that a hook hands inward to nobody. Without it,
// leaving a hook out of the list would open what the policy closes.
func (p *plan) checkEnforced() error {
	var problems []error
	if p.method.desc != nil {
		problems = p.checkAnnotations()
	}
	for i, st := range p.steps {
		if st.demander == nil {
			continue
		}
		fields, err := demands(st.entry, p.method)
		if err != nil {
			problems = append(problems, err)
		}
		for _, f := range fields {
			if err := p.checkField(f, i); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

// checkAnnotations finds the fields of the method's policy options that stay
// without effect. A hook that reads an option and is a [Demander] answers for all
// of its fields; behind another one, or without one, each must be enforced by name.
func (p *plan) checkAnnotations() (problems []error) {
	options, err := annotations(p.method.desc)
	if err != nil {
		problems = append(problems, fmt.Errorf("crosscut: method %s: %w", p.method.name, err))
	}
	for _, o := range options {
		reader := p.enforcing(o.name, 0)
		if reader >= 0 && p.steps[reader].demander != nil {
			continue
		}
		for _, f := range o.fields {
			if reader < 0 {
				problems = append(problems, fmt.Errorf("crosscut: method %s: its .proto sets %s in the option %s, which no hook enforces; list policy.New(), then %s, or remove the field", p.method.name, f, o.name, enforcerOf(f)))
			} else if err := p.checkField(f, reader); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return problems
}

// checkField tells whether a hook listed at place from or further in enforces the
// field. An outer one decides before the policy is known to the call.
func (p *plan) checkField(f protoreflect.FullName, from int) error {
	if p.enforcing(f, from) >= 0 {
		return nil
	}
	reader := p.steps[from].name
	if early := p.enforcing(f, 0); early >= 0 {
		name := p.steps[early].name
		return fmt.Errorf("crosscut: method %s: hook %s enforces %s but is listed before hook %s, from which it learns the policy; list %s, then %s", p.method.name, name, f, reader, reader, name)
	}
	return fmt.Errorf("crosscut: method %s: its policy sets %s, which no hook enforces; list %s after hook %s, or remove the field", p.method.name, f, enforcerOf(f), reader)
}

// enforcing returns the place of the first step at place from or further in that
// enforces the field, or -1.
func (p *plan) enforcing(f protoreflect.FullName, from int) int {
	for i := from; i < len(p.steps); i++ {
		if slices.Contains(p.steps[i].enforces, f) {
			return i
		}
	}
	return -1
}

func demands(e *entry, m *Method) (fields []protoreflect.FullName, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("crosscut: asking hook %s what method %s demands: %w", e.name, m.name, panicked(e.name, r))
		}
	}()
	return e.demander.Demands(m), nil
}

// enforcerOf names the hook to list for a field, for people. Hooks of users may
// enforce the same fields.
func enforcerOf(f protoreflect.FullName) string {
	switch f {
	case policyMessage + ".access":
		return "authn.New(…) or authz.New()"
	case policyMessage + ".schemes":
		return "authn.New(…)"
	case policyMessage + ".scopes", policyMessage + ".roles", policyMessage + ".condition":
		return "authn.New(…) and authz.New()"
	}
	return "a hook whose Enforces names it"
}
