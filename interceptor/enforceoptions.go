package interceptor

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The policy options are known by name alone: the core does not link their
// generated code, and checks them also when no hook does.
const (
	policyMethod  protoreflect.FullName    = "crosscut.policy.v1.method"
	policyService protoreflect.FullName    = "crosscut.policy.v1.service"
	policyMessage protoreflect.FullName    = "crosscut.policy.v1.Policy"
	policyNumber  protoreflect.FieldNumber = 50527
)

// annotation is one policy option of a .proto and the fields it sets.
type annotation struct {
	name   protoreflect.FullName
	fields []protoreflect.FullName
}

func (a *annotation) sets(field protoreflect.Name) bool {
	for _, f := range a.fields {
		if f.Name() == field {
			return true
		}
	}
	return false
}

// annotations returns the policy options that count for a method: its own, and
// unless that sets access, its service's too. The error says what in them cannot be
// understood, and so not be enforced either.
func annotations(desc protoreflect.MethodDescriptor) (found []annotation, err error) {
	own, ownErr := annotationOf(desc, policyMethod)
	if own != nil {
		found = append(found, *own)
		if own.sets("access") {
			return found, ownErr
		}
	}
	service, serviceErr := annotationOf(desc.Parent(), policyService)
	if service != nil {
		found = append(found, *service)
	}
	return found, errors.Join(ownErr, serviceErr)
}

// annotationOf finds the option of that name among those of d. It is nil where d
// has none.
func annotationOf(d protoreflect.Descriptor, name protoreflect.FullName) (*annotation, error) {
	options := d.Options()
	if options == nil {
		return nil, nil
	}
	if hasNumber(options.ProtoReflect().GetUnknown(), policyNumber) {
		return nil, fmt.Errorf("its .proto sets the option %s, whose Go code is not linked into this program, so nobody can tell what it demands; import github.com/crosscut-go/crosscut/proto/crosscut/policy/v1", name)
	}
	var found *annotation
	var err error
	options.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.FullName() != name {
			return true
		}
		found = &annotation{name: name}
		if fd.Message() == nil || fd.IsList() {
			err = fmt.Errorf("the option %s is not a message of type %s", name, policyMessage)
			return false
		}
		err = found.read(v.Message())
		return false
	})
	return found, err
}

// read notes the fields that are set.
func (a *annotation) read(policy protoreflect.Message) error {
	policy.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		a.fields = append(a.fields, fd.FullName())
		return true
	})
	if err := understood(policy); err != nil {
		return fmt.Errorf("the option %s: %w", a.name, err)
	}
	if len(a.fields) == 0 {
		return fmt.Errorf("the option %s is empty; set access, or remove the option", a.name)
	}
	return nil
}

// understood refuses fields and enum values that this program does not know: they
// were written to demand something.
func understood(m protoreflect.Message) (err error) {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		number, _, _ := protowire.ConsumeTag(unknown)
		return fmt.Errorf("%s has a field %d that this version does not know; update crosscut, or remove the field", m.Descriptor().FullName(), number)
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			err = fmt.Errorf("%s is a map, which policies do not have", fd.FullName())
		case fd.IsList():
			for i := range v.List().Len() {
				err = errors.Join(err, understoodValue(fd, v.List().Get(i)))
			}
		default:
			err = understoodValue(fd, v)
		}
		return err == nil
	})
	return err
}

func understoodValue(fd protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch {
	case fd.Message() != nil:
		return understood(v.Message())
	case fd.Enum() != nil && fd.Enum().Values().ByNumber(v.Enum()) == nil:
		return fmt.Errorf("%s has the value %d, which this version does not know; update crosscut, or correct the value", fd.FullName(), v.Enum())
	}
	return nil
}

// hasNumber tells whether fields in wire format include one of that number.
func hasNumber(fields protoreflect.RawFields, number protoreflect.FieldNumber) bool {
	for len(fields) > 0 {
		n, _, size := protowire.ConsumeField(fields)
		if size < 0 || n == number {
			return true // what cannot be read could be it
		}
		fields = fields[size:]
	}
	return false
}
