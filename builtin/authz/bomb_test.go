package authz_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// bombService is bomb.v1.Bombs/Throw(Bomb), whose messages can be as large and as deep
// as a caller likes. Nothing of it is linked in as generated code.
func bombService(t testing.TB) protoreflect.MethodDescriptor {
	t.Helper()
	field := func(name string, number int32, typ descriptorpb.FieldDescriptorProto_Type, label descriptorpb.FieldDescriptorProto_Label) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: proto.String(name), Number: proto.Int32(number), Type: typ.Enum(), Label: label.Enum()}
		if typ == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
			f.TypeName = proto.String(".bomb.v1.Bomb")
		}
		return f
	}
	const (
		one  = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
		many = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	)
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("bomb/v1/bomb.proto"), Package: proto.String("bomb.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Bomb"), Field: []*descriptorpb.FieldDescriptorProto{
			field("numbers", 1, descriptorpb.FieldDescriptorProto_TYPE_INT64, many),
			field("child", 2, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, one),
			field("names", 3, descriptorpb.FieldDescriptorProto_TYPE_STRING, many),
			field("text", 4, descriptorpb.FieldDescriptorProto_TYPE_STRING, one),
		}}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Bombs"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Throw"), InputType: proto.String(".bomb.v1.Bomb"), OutputType: proto.String(".bomb.v1.Bomb")},
		}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file.Services().Get(0).Methods().Get(0)
}

// newBomb makes a message with n elements in each list and as many messages in each
// other.
func newBomb(desc protoreflect.MessageDescriptor, n int) proto.Message {
	fields := desc.Fields()
	m := dynamicpb.NewMessage(desc)
	top := m
	for range min(n, 5000) {
		inner := dynamicpb.NewMessage(desc)
		inner.Set(fields.ByName("child"), protoreflect.ValueOfMessage(m))
		m = inner
	}
	if m == top {
		m = dynamicpb.NewMessage(desc)
	}
	numbers, names := m.Mutable(fields.ByName("numbers")).List(), m.Mutable(fields.ByName("names")).List()
	for i := range n {
		numbers.Append(protoreflect.ValueOfInt64(int64(i)))
		names.Append(protoreflect.ValueOfString(fmt.Sprint(i)))
	}
	m.Set(fields.ByName("text"), protoreflect.ValueOfString(strings.Repeat("x", 100*n)))
	return m
}

// TestBombs: what a message holds decides how much work a condition is. The limit ends
// it, and the call is refused.
func TestBombs(t *testing.T) {
	t.Parallel()
	method := interceptortest.NewMethodOf(bombService(t))
	small, large := newBomb(method.Descriptor().Input(), 3), newBomb(method.Descriptor().Input(), 50_000)
	for _, condition := range []string{
		"request.numbers.all(n, n >= 0)",
		"!request.numbers.exists(n, n < 0)",
		"request.numbers.filter(n, n >= 0).size() >= 0",
		"request.numbers.map(n, n + 1).size() >= 0",
		"request.numbers.all(a, request.numbers.all(b, request.names.all(c, a + b >= 0 && c != '')))",
		"request.numbers.exists_one(n, n == 1)",
		"!(-1 in request.numbers)",
		"request.names.all(n, n + n != '')",
		"!request.text.contains('y')",
		"request.text + request.text + request.text != ''",
	} {
		throw := func(message proto.Message) (interceptortest.Phases, *interceptor.Call) {
			call, _ := interceptortest.NewCall(interceptortest.WithMethod(method, ""), interceptortest.WithMessage(message),
				interceptortest.WithHooks(policy.New(policy.Service("bomb.v1.Bombs", policy.Condition(condition))), as(principals["reader"]), authz.New()))
			return interceptortest.RunPhases(call, nil), call
		}
		if got, _ := throw(proto.Clone(small)); got.Err != nil || !got.Reached {
			t.Errorf("%s: a small message is refused: %v", condition, got.Err)
		}
		got, call := throw(proto.Clone(large))
		if interceptor.StatusOf(got.Err).Code() != codes.PermissionDenied || got.Reached || !call.Denied() || !strings.Contains(got.Err.Error(), "cost limit of 2000") {
			t.Errorf("%s: a large message: %v, handler reached %v; want a refusal by the cost limit", condition, got.Err, got.Reached)
		}
	}
}

// TestConstantBombs: conditions that are hostile by themselves end as well.
func TestConstantBombs(t *testing.T) {
	t.Parallel()
	list := "[1,2,3,4,5,6,7,8,9,10]"
	condition := "true"
	for _, v := range "abcdefgh" {
		condition = fmt.Sprintf("%s.all(%c, %s)", list, v, condition)
	}
	if got := run(t, principals["reader"], nil, policy.Condition(condition)); interceptor.StatusOf(got.Err).Code() != codes.PermissionDenied || got.Reached {
		t.Errorf("%v, handler reached %v; want a refusal by the cost limit", got.Err, got.Reached)
	}
}
