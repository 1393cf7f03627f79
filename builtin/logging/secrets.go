package logging

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/interceptor"
)

const (
	withheldText = "[withheld: the messages of this method have debug_redact fields]"
	// maxSecrets bounds the work of cutting values out of a text.
	maxSecrets = 256
	maxScanned = 64 << 10
)

// errorText returns the text of a call's failure for operators. Errors like to
// quote the message they are about, so values of redacted fields are cut out.
func errorText(call *interceptor.Call, err error) string {
	text := err.Error()
	request, response := mayRedact(call.Method())
	if !request && !response {
		return cut(text, maxError)
	}
	var found secrets
	if request && !found.collect(call.Request()) && !call.Denied() || response && !singleResponse(call) {
		return withheldText
	}
	found.collect(call.Response())
	if found.tooMany {
		return withheldText
	}
	return cut(found.hide(cut(text, maxScanned)), maxError)
}

// singleResponse tells whether the response would be at hand: a unary call that
// failed before it had one has none that an error could quote.
func singleResponse(call *interceptor.Call) bool {
	kind := call.Method().Kind()
	return kind == interceptor.Unary || kind == interceptor.ClientStream
}

// mayRedact tells whether requests and responses of a method can hold anything
// that must not be logged.
func mayRedact(m *interceptor.Method) (request, response bool) {
	r := redactable(m)
	return r.request, r.response
}

type redaction struct{ request, response bool }

var redactable = interceptor.PerMethod(func(m *interceptor.Method) redaction {
	desc := m.Descriptor()
	if desc == nil {
		return redaction{}
	}
	return redaction{
		request:  holdsSecrets(desc.Input(), map[protoreflect.FullName]bool{}),
		response: holdsSecrets(desc.Output(), map[protoreflect.FullName]bool{}),
	}
})

// holdsSecrets tells whether a message type, or one within it, has a redacted
// field, or can carry one unseen: in an Any or in an extension.
func holdsSecrets(md protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[md.FullName()] {
		return false
	}
	seen[md.FullName()] = true
	if md.FullName() == anyName || md.ExtensionRanges().Len() > 0 {
		return true
	}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if redacted(fd.Options()) || fd.Message() != nil && holdsSecrets(fd.Message(), seen) {
			return true
		}
	}
	return false
}

// secrets are the values of redacted fields, as text.
type secrets struct {
	values  []string
	tooMany bool
}

// collect adds the secrets of msg. It reports false where there is no message to
// look into.
func (s *secrets) collect(msg any) bool {
	m, ok := msg.(proto.Message)
	if !ok || !m.ProtoReflect().IsValid() {
		return false
	}
	s.message(m.ProtoReflect(), false, 0)
	return true
}

// message walks m; inside of a redacted field everything is a secret.
func (s *secrets) message(m protoreflect.Message, secret bool, depth int) {
	if depth > maxDepth {
		s.tooMany = true // what was not looked at could be quoted
		return
	}
	if m.Descriptor().FullName() == anyName {
		if inner := unpack(m); inner != nil {
			s.message(inner, secret, depth+1)
		}
	}
	for fd, v := range m.Range {
		s.field(fd, v, secret || redacted(fd.Options()), depth)
	}
}

func (s *secrets) field(fd protoreflect.FieldDescriptor, v protoreflect.Value, secret bool, depth int) {
	switch {
	case s.tooMany:
	case fd.IsMap():
		for k, e := range v.Map().Range {
			if secret {
				s.add(k.String())
			}
			s.value(fd.MapValue(), e, secret, depth)
		}
	case fd.IsList():
		for i := range v.List().Len() {
			s.value(fd, v.List().Get(i), secret, depth)
		}
	default:
		s.value(fd, v, secret, depth)
	}
}

func (s *secrets) value(fd protoreflect.FieldDescriptor, v protoreflect.Value, secret bool, depth int) {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		s.message(v.Message(), secret, depth+1)
	case protoreflect.BoolKind, protoreflect.EnumKind: // words that say nothing out of place
	case protoreflect.BytesKind:
		if secret {
			s.add(string(v.Bytes()))
		}
	default:
		if secret {
			s.add(v.String())
		}
	}
}

// add records a value as it is and as %q and prototext would quote it.
func (s *secrets) add(value string) {
	if value == "" {
		return
	}
	if s.tooMany = s.tooMany || len(s.values) >= maxSecrets; s.tooMany {
		return
	}
	s.values = append(s.values, value)
	if q := strconv.Quote(value); q[1:len(q)-1] != value {
		s.values = append(s.values, q[1:len(q)-1])
	}
}

// hide replaces the secrets in text, in one pass: replacing one after the other
// would replace within what was put in. Where several begin at one place the
// longest counts, since a short one may be a part of a long one.
func (s *secrets) hide(text string) string {
	slices.SortFunc(s.values, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(s.values))
	for _, v := range s.values {
		pairs = append(pairs, v, redactedText)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
