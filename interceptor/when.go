package interceptor

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// When makes hooks effective only on the calls that selector picks. It is listed
// like a hook and keeps its place in the order. A selector that reads the
// transport alone lets its hooks join at BeforeRequest; one that reads the method
// joins them when the method is resolved, on every transport: there
// BeforeRequest of a hook runs directly before its BeforeHandler. Selection is
// computed per method and transport when the server learns of the method.
func When(selector Selector, hooks ...Hook) Hook {
	return &whenHook{selector: selector, hooks: hooks}
}

type whenHook struct {
	Base
	selector Selector
	hooks    []Hook
}

func (w *whenHook) String() string { return "When(" + w.selector.name + ")" }

func (w *whenHook) check() error {
	if w.selector.picks == nil {
		return errors.New("crosscut: When with a zero Selector; make it with Methods, Services, HasOption, On, Not or SelectFunc")
	}
	if w.selector.err != nil {
		return fmt.Errorf("crosscut: %s: %w", w, w.selector.err)
	}
	return nil
}

// Selector picks the calls that hooks inside a [When] run on.
type Selector struct {
	name       string
	readMethod bool
	picks      func(*Method, Transport) bool
	err        error
}

// String returns the selector as it was written.
func (s Selector) String() string { return s.name }

// Methods picks methods by [Method.Name]: "/pkg.Service/Method" for an RPC, the
// registered pattern for a plain route.
func Methods(names ...string) Selector {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	s := Selector{name: "Methods(" + strings.Join(names, ", ") + ")", readMethod: true}
	s.picks = func(m *Method, _ Transport) bool { return set[m.name] }
	if len(names) == 0 {
		s.err = errors.New("no method is named")
	}
	return s
}

// Services picks the RPCs of services by full name, such as "pkg.Service".
func Services(names ...string) Selector {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	s := Selector{name: "Services(" + strings.Join(names, ", ") + ")", readMethod: true}
	s.picks = func(m *Method, _ Transport) bool {
		slash := strings.LastIndexByte(m.name, '/')
		return !m.plain && slash > 0 && set[m.name[1:slash]]
	}
	if len(names) == 0 {
		s.err = errors.New("no service is named")
	}
	return s
}

// HasOption picks the RPCs whose .proto sets the method option ext.
func HasOption(ext protoreflect.ExtensionType) Selector {
	s := Selector{name: "HasOption(nil)", readMethod: true}
	if ext == nil {
		s.err = errors.New("the extension is nil")
		s.picks = func(*Method, Transport) bool { return false }
		return s
	}
	s.name = "HasOption(" + string(ext.TypeDescriptor().FullName()) + ")"
	s.picks = func(m *Method, _ Transport) bool {
		return m.desc != nil && m.desc.Options() != nil && proto.HasExtension(m.desc.Options(), ext)
	}
	return s
}

// On picks the calls of one transport. Hooks inside join at BeforeRequest.
func On(transport Transport) Selector {
	s := Selector{name: "On(" + transport.String() + ")"}
	s.picks = func(_ *Method, t Transport) bool { return t == transport }
	if transport != GRPC && transport != HTTP {
		s.err = errors.New("the transport is neither GRPC nor HTTP")
	}
	return s
}

// Not picks what selector does not.
func Not(selector Selector) Selector {
	s := selector
	s.name = "Not(" + selector.name + ")"
	if selector.picks != nil {
		s.picks = func(m *Method, t Transport) bool { return !selector.picks(m, t) }
	}
	return s
}

// SelectFunc picks the methods for which f returns true; name stands for it in
// Explain and errors. f is called when the server learns of a method, never per
// call, and never with nil.
func SelectFunc(name string, f func(*Method) bool) Selector {
	s := Selector{name: name, readMethod: true}
	if f == nil {
		s.err = errors.New("the function is nil")
		s.picks = func(*Method, Transport) bool { return false }
		return s
	}
	s.picks = func(m *Method, _ Transport) bool { return f(m) }
	return s
}
