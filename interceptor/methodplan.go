package interceptor

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// MethodPlanner is a hook that prepares what it does for each method: it compiles
// what belongs to the method, hands values inward that hooks need before the first
// call, and says what it does not need there.
type MethodPlanner interface {
	// PlanMethod is called once per method, stack and transport, when the server
	// learns of a method the hook is effective on, outermost hook first and before
	// any CheckMethod. Its error closes the method as that of [MethodChecker] does.
	// Another stack that the hook is listed in may plan another method meanwhile.
	PlanMethod(plan *MethodPlan) error
}

// MethodPlan is what a stack is about to do for one method over one transport. It
// belongs to the running PlanMethod: do not keep it.
type MethodPlan struct {
	plan   *plan
	at     int // the step whose hook plans
	values []keyValue
}

// Method returns the method that is planned.
func (p *MethodPlan) Method() *Method { return p.plan.method }

// Provided tells whether a hook further out that is effective on the method
// provides key, as [Provider] says.
func (p *MethodPlan) Provided(key AnyKey) bool {
	return slices.ContainsFunc(p.plan.steps[:p.at], func(st step) bool { return st.providesKey(key) })
}

// SkipMessages leaves the OnReceive and OnSend of the hook that plans out of calls
// of the method: they then cost nothing, and the method needs no adapter that can
// show messages because of it. [Call.AwaitMessage] fails such a call.
func (p *MethodPlan) SkipMessages() {
	e := p.plan.steps[p.at].entry
	p.plan.receive = slices.DeleteFunc(p.plan.receive, func(st step) bool { return st.entry == e })
}

// Report tells the operator about something that does not keep the server from
// starting, as [Stack.ReportTo] describes.
func (p *MethodPlan) Report(err error) {
	if err != nil {
		p.plan.stack.tell(context.Background(), nil, fmt.Errorf("crosscut: hook %s on method %s: %w", p.plan.steps[p.at].name, p.plan.method.name, err))
	}
}

// SetPlanned stores what v will be for every call of the method, for the
// PlanMethod of hooks further in. A hook that provides a key calls it from its
// PlanMethod when the value depends on the method alone.
func (k *Key[T]) SetPlanned(plan *MethodPlan, v T) {
	plan.values = append(plan.values, keyValue{key: &k.id, value: v})
}

// Planned returns what a hook further out stored with [Key.SetPlanned], and
// whether there is such a value.
func (k *Key[T]) Planned(plan *MethodPlan) (T, bool) {
	for _, kv := range slices.Backward(plan.values) {
		if kv.key == &k.id {
			t, _ := kv.value.(T) // a nil interface value stays the zero T
			return t, true
		}
	}
	var zero T
	return zero, false
}

// shows tells whether the hook gets the messages of the method.
func (p *plan) shows(e *entry) bool {
	return slices.ContainsFunc(p.receive, func(st step) bool { return st.entry == e })
}

// prepare runs PlanMethod of the effective hooks.
func (p *plan) prepare() error {
	var problems []error
	mp := &MethodPlan{plan: p}
	for i, st := range p.steps {
		if st.planner == nil {
			continue
		}
		mp.at = i
		if err := planMethod(st.planner, mp); err != nil {
			problems = append(problems, fmt.Errorf("crosscut: hook %s refuses method %s: %w", st.name, p.method.name, err))
		}
	}
	return errors.Join(problems...)
}

func planMethod(h MethodPlanner, p *MethodPlan) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(p.plan.steps[p.at].name, r)
		}
	}()
	return h.PlanMethod(p)
}
