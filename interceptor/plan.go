package interceptor

import (
	"errors"
	"fmt"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// plan is what a stack does for one method over one transport, or, with a nil
// method, for calls whose method is not known. It is computed once.
type plan struct {
	stack  *Stack
	method *Method
	kind   driver.Kind
	err    error // what CheckMethod and the selectors said: the method is closed

	steps   []step  // every effective hook, outermost first
	receive []step  // those with OnReceive and OnSend
	respond []step  // those with BeforeResponse
	wrapped Handler // the WrapHandler chain, nil without one
	decider int32   // how many steps must agree before content may be replied, 0 for none
}

// step is one effective hook of a plan. A late hook joined when the method was
// resolved; rank is its place among the early or the late ones. hook and lacks are the
// entry's, which is complete by then: every call asks for them.
type step struct {
	*entry
	hook  Hook
	lacks phases
	late  bool
	rank  int32
}

// planFor returns the plan of a method, computing it when the method is new.
func (s *Stack) planFor(m *Method, k driver.Kind) *plan {
	if p := m.findPlan(s, k); p != nil {
		return p
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.findPlan(s, k); p != nil {
		return p
	}
	p := s.tryCompile(m, k)
	if p.err == nil {
		p.err = errors.Join(p.prepare(), m.checkPlan(p), p.checkEnforced())
	}
	var plans []*plan
	if old := m.plans.Load(); old != nil {
		plans = append(plans, *old...)
	}
	plans = append(plans, p)
	m.plans.Store(&plans)
	return p
}

func (m *Method) findPlan(s *Stack, k driver.Kind) *plan {
	if plans := m.plans.Load(); plans != nil {
		for _, p := range *plans {
			if p.stack == s && p.kind == k {
				return p
			}
		}
	}
	return nil
}

// tryCompile closes a method whose selectors or WrapHandler panic.
func (s *Stack) tryCompile(m *Method, k driver.Kind) (p *plan) {
	defer func() {
		if r := recover(); r != nil {
			p = &plan{stack: s, method: m, kind: k, err: fmt.Errorf("crosscut: preparing method %s: %w", m.name, panicked("", r))}
		}
	}()
	return s.compile(m, k)
}

func (s *Stack) compile(m *Method, k driver.Kind) *plan {
	p := &plan{stack: s, method: m, kind: k}
	var early, late int32
	var handlers []*entry
	for _, e := range s.entries {
		if !e.effective(m, Transport(k)) {
			continue
		}
		st := step{entry: e, hook: e.hook, lacks: e.lacks, late: e.joinsLate()}
		if st.late {
			st.rank = late
			late++
		} else {
			st.rank = early
			early++
		}
		p.steps = append(p.steps, st)
		if e.messages != nil {
			p.receive = append(p.receive, st)
		}
		if e.response != nil {
			p.respond = append(p.respond, st)
		}
		if e.handler != nil {
			handlers = append(handlers, e)
		}
		if e.decides {
			p.decider = int32(len(p.steps))
		}
	}
	if m == nil {
		p.decider = s.mayDecide(Transport(k))
	} else {
		p.wrapped, p.err = s.chain(handlers)
		p.tellLastDecider()
	}
	return p
}

// tellLastDecider tells the hook that decides last, if it wants to know.
func (p *plan) tellLastDecider() {
	if p.decider > 0 && p.steps[p.decider-1].last != nil {
		p.steps[p.decider-1].last.DecidesLast(p.method)
	}
}

// mayDecide tells (as a count no call reaches) whether any hook could decide
// about a call whose method is not known yet.
func (s *Stack) mayDecide(t Transport) int32 {
	for _, e := range s.entries {
		if e.decides && e.possible(t) {
			return int32(len(s.entries)) + 1
		}
	}
	return 0
}

// effective tells whether the hook runs on calls of m over t; with a nil method,
// whether it runs before the method is known.
func (e *entry) effective(m *Method, t Transport) bool {
	for _, w := range e.scope {
		if w.selector.readMethod && m == nil || !w.selector.picks(m, t) {
			return false
		}
	}
	return true
}

// possible tells whether the hook could be effective on some method over t.
func (e *entry) possible(t Transport) bool {
	for _, w := range e.scope {
		if !w.selector.readMethod && !w.selector.picks(nil, t) {
			return false
		}
	}
	return true
}

func (e *entry) joinsLate() bool {
	for _, w := range e.scope {
		if w.selector.readMethod {
			return true
		}
	}
	return false
}

// checkPlan shows the method to the checkers that have not seen it over another
// transport; m.mu is held.
func (m *Method) checkPlan(p *plan) error {
	var problems []error
	for _, st := range p.steps {
		if st.checker == nil {
			continue
		}
		if seen := m.checked(p.stack, st.entry); seen != nil {
			if seen.err != nil {
				problems = append(problems, seen.err)
			}
			continue
		}
		err := checkMethod(st.entry, m)
		m.checks = append(m.checks, methodCheck{p.stack, st.entry, err})
		if err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

type methodCheck struct {
	stack *Stack
	entry *entry
	err   error
}

func (m *Method) checked(s *Stack, e *entry) *methodCheck {
	for i := range m.checks {
		if m.checks[i].stack == s && m.checks[i].entry == e {
			return &m.checks[i]
		}
	}
	return nil
}

func checkMethod(e *entry, m *Method) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(e.name, r)
		}
		if err != nil {
			err = fmt.Errorf("crosscut: hook %s refuses method %s: %w", e.name, m.name, err)
		}
	}()
	return e.checker.CheckMethod(m)
}
