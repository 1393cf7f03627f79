package interceptor

import (
	"fmt"
	"strings"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// Explain returns the hooks that run on method, in order, per transport, and why
// the others do not; it is for people and may change. A nil method stands for
// calls that no method answers.
func (s *Stack) Explain(method *Method) string {
	var b strings.Builder
	name := method.Name()
	if method == nil {
		name = "calls that no method answers"
	}
	for _, t := range []Transport{GRPC, HTTP} {
		fmt.Fprintf(&b, "%s over %s:\n", name, t)
		plan := s.unresolved[t]
		if method != nil {
			plan = s.planFor(method, driver.Kind(t))
		}
		plan.explain(&b)
	}
	return b.String()
}

func (p *plan) explain(b *strings.Builder) {
	for i, st := range p.steps {
		fmt.Fprintf(b, "  %d. %s%s%s\n", i+1, st.name, scopeText(st.scope), traits(st))
	}
	for _, e := range p.stack.entries {
		if !p.has(e) {
			fmt.Fprintf(b, "  -  %s: not picked%s\n", e.name, scopeText(e.scope))
		}
	}
	for _, sk := range p.stack.skipped {
		fmt.Fprintf(b, "  -  %s: not used: %s\n", sk.name, sk.reason)
	}
	if p.err != nil {
		fmt.Fprintf(b, "  closed: %v\n", p.err)
	}
}

func (p *plan) has(e *entry) bool {
	for _, st := range p.steps {
		if st.entry == e {
			return true
		}
	}
	return false
}

func traits(st step) string {
	var t []string
	if st.late {
		t = append(t, "joins when the method is resolved")
	}
	if st.decides {
		t = append(t, "decides access")
	}
	if len(t) == 0 {
		return ""
	}
	return " (" + strings.Join(t, ", ") + ")"
}
