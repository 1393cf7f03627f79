package interceptor

import (
	"fmt"
	"reflect"
)

// optionalMethods are the methods of the optional interfaces. A hook that has
// one of these names must implement the interface it belongs to: a slip in a
// signature would otherwise switch a check off without a word.
var optionalMethods = []struct {
	name string
	want reflect.Type
}{
	{"Name", reflect.TypeFor[Named]()},
	{"OnReceive", reflect.TypeFor[MessageHook]()},
	{"OnSend", reflect.TypeFor[MessageHook]()},
	{"BeforeResponse", reflect.TypeFor[ResponseHook]()},
	{"WrapHandler", reflect.TypeFor[HandlerHook]()},
	{"Requires", reflect.TypeFor[Requirer]()},
	{"Provides", reflect.TypeFor[Provider]()},
	{"Decides", reflect.TypeFor[Decider]()},
	{"DecidesLast", reflect.TypeFor[LastDecider]()},
	{"Enforces", reflect.TypeFor[Enforcer]()},
	{"Demands", reflect.TypeFor[Demander]()},
	{"PlanMethod", reflect.TypeFor[MethodPlanner]()},
	{"CheckMethod", reflect.TypeFor[MethodChecker]()},
}

// useInterfaces records the optional interfaces of the hook and reports those it
// only half implements.
func (e *entry) useInterfaces() (problems []error) {
	e.messages, _ = e.hook.(MessageHook)
	e.response, _ = e.hook.(ResponseHook)
	e.handler, _ = e.hook.(HandlerHook)
	e.planner, _ = e.hook.(MethodPlanner)
	e.checker, _ = e.hook.(MethodChecker)
	e.demander, _ = e.hook.(Demander)
	_, e.decides = e.hook.(Decider)
	e.last, _ = e.hook.(LastDecider)
	if r, ok := e.hook.(Requirer); ok {
		e.requires = r.Requires()
	}
	if p, ok := e.hook.(Provider); ok {
		e.provides = p.Provides()
	}
	if f, ok := e.hook.(Enforcer); ok {
		e.enforces = f.Enforces()
	}
	t := reflect.TypeOf(e.hook)
	for _, m := range optionalMethods {
		if t.Implements(m.want) {
			continue
		}
		pointer := t
		if t.Kind() != reflect.Pointer {
			pointer = reflect.PointerTo(t)
		}
		if _, ok := pointer.MethodByName(m.name); !ok {
			continue
		}
		if pointer.Implements(m.want) {
			problems = append(problems, fmt.Errorf("crosscut: hook %s: %s has a pointer receiver, so %s does not implement interceptor.%s; list &%s{…}", e.name, m.name, t, m.want.Name(), t))
		} else {
			problems = append(problems, e.halfDone(m.name, m.want))
		}
	}
	return problems
}

func (e *entry) halfDone(method string, want reflect.Type) error {
	if want.NumMethod() > 1 {
		return fmt.Errorf("crosscut: hook %s has %s but does not implement interceptor.%s; it needs both OnReceive and OnSend as %s", e.name, method, want.Name(), signatures(want))
	}
	return fmt.Errorf("crosscut: hook %s has a method %s that is not interceptor.%s; declare it as %s, or rename it", e.name, method, want.Name(), signatures(want))
}

func signatures(t reflect.Type) string {
	text := ""
	for i := range t.NumMethod() {
		if i > 0 {
			text += " and "
		}
		text += t.Method(i).Name + t.Method(i).Type.String()[len("func"):]
	}
	return text
}
