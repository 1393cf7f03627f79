package policy

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/interceptor"
	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// errUndeclared is the reason when nobody said who may call a method.
var errUndeclared = errors.New("no policy says who may call it")

// target is what policy is resolved for: a method of a server or of a descriptor.
type target struct {
	name  string
	kind  interceptor.Kind
	plain bool
	desc  protoreflect.MethodDescriptor // nil where there is no .proto
}

func targetOf(m *interceptor.Method) target {
	return target{name: m.Name(), kind: m.Kind(), plain: m.Plain(), desc: m.Descriptor()}
}

func targetOfDescriptor(d protoreflect.MethodDescriptor) target {
	t := target{name: "/" + string(d.Parent().FullName()) + "/" + string(d.Name()), desc: d}
	switch {
	case d.IsStreamingClient() && d.IsStreamingServer():
		t.kind = interceptor.BidiStream
	case d.IsStreamingClient():
		t.kind = interceptor.ClientStream
	case d.IsStreamingServer():
		t.kind = interceptor.ServerStream
	}
	return t
}

// serviceName returns the service of an RPC, "" for anything else.
func (t target) serviceName() string {
	if slash := strings.LastIndexByte(t.name, '/'); !t.plain && slash > 0 {
		return t.name[1:slash]
	}
	return ""
}

// resolve returns the effective policy of t. The error wraps errUndeclared, or says
// what is wrong with what was declared; who asked knows the name of t.
func (c *config) resolve(t target) (*Policy, error) {
	service, own, err := c.blocks(t)
	if err != nil {
		return nil, err
	}
	p, err := merge(service, own)
	if err == nil && p == nil {
		err = fmt.Errorf("%w; %s", errUndeclared, t.howToDeclare())
	}
	return p, err
}

func (t target) howToDeclare() string {
	switch {
	case t.plain:
		return fmt.Sprintf("declare policy.Route(%q, …)", t.name)
	case t.desc == nil:
		return fmt.Sprintf("declare policy.Method(%q, …)", t.name)
	}
	return fmt.Sprintf("set access in the option (%s) of its .proto, or if that is somebody else's, declare policy.Service(%q, …) or policy.Method(%q, …)",
		policyv1.E_Method.TypeDescriptor().FullName(), t.desc.Parent().FullName(), t.name)
}

// blocks returns what counts of what is said about t, nil where nothing is: for its
// service and for itself, each in a .proto or in Go.
func (c *config) blocks(t target) (service, own *block, err error) {
	declared := c.declaredFor(t)
	if t.plain {
		return nil, declared, nil
	}
	var serviceSays, says *block
	if t.desc != nil {
		var serviceErr error
		serviceSays, serviceErr = serviceOption(t.desc.Parent())
		says, err = methodOption(t.desc)
		if err := errors.Join(serviceErr, err); err != nil {
			return nil, nil, err
		}
	}
	replaced := says
	if says == nil && declared != nil && declared.access != AccessUndeclared {
		replaced = serviceSays
	}
	service, serviceErr := c.services[t.serviceName()].over(serviceSays)
	own, err = declared.over(replaced)
	return service, own, errors.Join(serviceErr, err)
}

// declaredFor returns the declaration in Go that names t itself, or nil.
func (c *config) declaredFor(t target) *block {
	if t.plain {
		return c.routes[t.name]
	}
	return c.methods[t.name]
}

// over returns what counts of a declaration in Go and what the .proto says in the
// place that it would take: who may call is written once.
func (b *block) over(says *block) (*block, error) {
	switch {
	case b == nil:
		return says, nil
	case says != nil && !b.override:
		return nil, fmt.Errorf("%s would replace %s; keep one of them, or add policy.Override() to the declaration", b.origin, says.origin)
	case says == nil && b.override:
		return nil, fmt.Errorf("%s has Override, but there is no option in the .proto that it replaces; remove Override", b.origin)
	}
	return b, nil
}
