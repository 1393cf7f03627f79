package logging

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const (
	redactedText = "[REDACTED]"
	tooDeepText  = "[too deep]"
	anyName      = protoreflect.FullName("google.protobuf.Any")

	// maxDepth bounds recursion through messages and Any, which nest as deep as
	// a client likes.
	maxDepth = 32
)

// printer writes messages as JSON: fields by their .proto names, in the order of
// their numbers, redacted ones replaced, unknown ones left out. It is not
// protojson, which has no way to leave things out, and it stops at its limit, so
// that a message of megabytes is neither copied nor printed to the end.
type printer struct {
	out   []byte
	limit int
	full  bool // the limit was reached: out is the beginning of the text
}

func (p *printer) text(s string) {
	if p.full = p.full || len(p.out)+len(s) > p.limit; !p.full {
		p.out = append(p.out, s...)
	}
}

// quoted writes a JSON string; what of it exceeds the limit is not even escaped.
func (p *printer) quoted(s string) {
	over := len(s) > p.limit
	if over {
		s = s[:p.limit]
	}
	b, err := json.Marshal(s) // never fails for a string; invalid UTF-8 is replaced
	if err != nil {
		b = []byte(`""`)
	}
	b = escaped(b)
	if room := p.limit - len(p.out); over || len(b) > room {
		p.out = append(p.out, b[:min(room, len(b))]...)
		p.full = true
		return
	}
	p.text(string(b))
}

func (p *printer) message(m protoreflect.Message, depth int) {
	switch {
	case !m.IsValid():
		p.text("null")
		return
	case depth > maxDepth:
		p.quoted(tooDeepText)
		return
	case m.Descriptor().FullName() == anyName:
		p.any(m, depth)
		return
	}
	p.text("{")
	for i, fd := range populated(m) {
		if p.full {
			return
		}
		p.name(i, fd.TextName())
		p.field(fd, m.Get(fd), depth)
	}
	p.text("}")
}

// name writes what stands before the i-th member of an object.
func (p *printer) name(i int, name string) {
	if i > 0 {
		p.text(",")
	}
	p.quoted(name)
	p.text(":")
}

func (p *printer) field(fd protoreflect.FieldDescriptor, v protoreflect.Value, depth int) {
	switch {
	case redacted(fd.Options()):
		p.quoted(redactedText)
	case fd.IsMap():
		p.mapOf(fd, v.Map(), depth)
	case fd.IsList():
		p.text("[")
		for i := 0; i < v.List().Len() && !p.full; i++ {
			if i > 0 {
				p.text(",")
			}
			p.scalar(fd, v.List().Get(i), depth)
		}
		p.text("]")
	default:
		p.scalar(fd, v, depth)
	}
}

func (p *printer) mapOf(fd protoreflect.FieldDescriptor, m protoreflect.Map, depth int) {
	p.text("{")
	keys := make([]protoreflect.MapKey, 0, m.Len())
	for k := range m.Range {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	for i, k := range keys {
		if p.full {
			return
		}
		p.name(i, k.String())
		p.scalar(fd.MapValue(), m.Get(k), depth)
	}
	p.text("}")
}

func (p *printer) scalar(fd protoreflect.FieldDescriptor, v protoreflect.Value, depth int) {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		p.message(v.Message(), depth+1)
	case protoreflect.EnumKind:
		p.enum(fd.Enum().Values().ByNumber(v.Enum()), v.Enum())
	case protoreflect.BytesKind:
		b := v.Bytes()
		p.quoted(base64.StdEncoding.EncodeToString(b[:min(len(b), p.limit)]))
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		p.float(v.Float())
	case protoreflect.StringKind:
		p.quoted(v.String())
	default: // bools and integers
		p.text(v.String())
	}
}

func (p *printer) enum(value protoreflect.EnumValueDescriptor, number protoreflect.EnumNumber) {
	switch {
	case value == nil: // an open enum's unknown number
		p.text(strconv.Itoa(int(number)))
	case redacted(value.Options()):
		p.quoted(redactedText)
	default:
		p.quoted(string(value.Name()))
	}
}

// float writes what JSON has no number for as a string, as protojson does.
func (p *printer) float(f float64) {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		p.quoted(s)
		return
	}
	p.text(s)
}

// any prints the message inside of a google.protobuf.Any. Of a type that is not
// linked in, nobody can tell what must not be logged, so its name is all there is.
func (p *printer) any(m protoreflect.Message, depth int) {
	p.text("{")
	p.name(0, "@type")
	p.quoted(typeURL(m))
	if inner := unpack(m); inner != nil {
		p.name(1, "value")
		p.message(inner, depth+1)
	}
	p.text("}")
}

// typeURL returns the type of an Any. The client writes it, so it is cut.
func typeURL(m protoreflect.Message) string {
	return cut(m.Get(m.Descriptor().Fields().ByNumber(1)).String(), maxName)
}

// unpack returns the message in an Any, or nil where it is unknown or broken.
func unpack(m protoreflect.Message) protoreflect.Message {
	url := m.Get(m.Descriptor().Fields().ByNumber(1)).String()
	t, err := protoregistry.GlobalTypes.FindMessageByURL(url)
	if err != nil {
		return nil
	}
	inner := t.New()
	value := m.Get(m.Descriptor().Fields().ByNumber(2)).Bytes()
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(value, inner.Interface()); err != nil {
		return nil
	}
	return inner
}

// populated returns the fields of m that are set, by number: Range has no order.
func populated(m protoreflect.Message) []protoreflect.FieldDescriptor {
	var fields []protoreflect.FieldDescriptor
	for fd := range m.Range {
		fields = append(fields, fd)
	}
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number()) - int(b.Number()) })
	return fields
}

// redacted tells whether the options of a field or an enum value have
// debug_redact.
func redacted(options protoreflect.ProtoMessage) bool {
	o, ok := options.(interface{ GetDebugRedact() bool })
	return ok && o.GetDebugRedact()
}
