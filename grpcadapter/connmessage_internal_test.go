package grpcadapter

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestDeliver checks that every combination of message types arrives, that what
// was in the receiver's message is gone, and what cannot be delivered.
func TestDeliver(t *testing.T) {
	t.Parallel()
	generated := (&pb.UnaryRequest{}).ProtoReflect().Descriptor()
	again := sameFileAgain(t, generated)
	text := func(desc protoreflect.MessageDescriptor) proto.Message {
		m := dynamicpb.NewMessage(desc)
		m.Set(desc.Fields().ByName("text"), protoreflect.ValueOfString("a"))
		return m
	}
	old := &pb.UnaryRequest{Id: "old", Nested: &pb.Nested{Text: "old"}}
	var none *pb.UnaryRequest
	cases := []struct {
		name     string
		dst      proto.Message
		src      any
		wantText string
	}{
		{"generated", proto.Clone(old), &pb.UnaryRequest{Text: "a"}, "a"},
		{"dynamic", dynamicpb.NewMessage(generated), text(generated), "a"},
		{"dynamic to generated", proto.Clone(old), text(generated), "a"},
		{"generated to dynamic", dynamicpb.NewMessage(generated), &pb.UnaryRequest{Text: "a"}, "a"},
		{"dynamic of another file", dynamicpb.NewMessage(generated), text(again), "a"},
		{"nil", proto.Clone(old), nil, ""},
		{"nil pointer", proto.Clone(old), none, ""},
	}
	for _, c := range cases {
		if err := deliver(c.dst, c.src); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := &pb.UnaryRequest{}
		encoded, err := proto.Marshal(c.dst)
		if err == nil {
			err = proto.Unmarshal(encoded, got)
		}
		if want := (&pb.UnaryRequest{Text: c.wantText}); err != nil || !proto.Equal(got, want) {
			t.Errorf("%s: got %v %v, want %v", c.name, got, err, want)
		}
	}
	if err := deliver(new(string), &pb.UnaryRequest{}); err == nil {
		t.Error("a message was delivered to a string")
	}
}

// sameFileAgain returns a message descriptor of the same name that is another
// object, as a program gets that reads a descriptor set.
func sameFileAgain(t *testing.T, desc protoreflect.MessageDescriptor) protoreflect.MessageDescriptor {
	t.Helper()
	options := protodesc.FileOptions{AllowUnresolvable: true}
	file, err := options.New(protodesc.ToFileDescriptorProto(desc.ParentFile()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().ByName(desc.Name())
}

// TestEncodedSize checks the size of what can be encoded, and that nothing else
// passes.
func TestEncodedSize(t *testing.T) {
	t.Parallel()
	var none *pb.UnaryRequest
	for _, msg := range []any{nil, none, &pb.UnaryRequest{}, &pb.UnaryRequest{Text: "abc"}} {
		m, _ := msg.(proto.Message)
		want := 0
		if m != nil {
			want = proto.Size(m)
		}
		if got, err := encodedSize(msg); err != nil || got != want {
			t.Errorf("%v: %d %v, want %d", msg, got, err, want)
		}
	}
	for _, msg := range []any{"text", 1, &pb.UnaryRequest{Text: "\xff"}} {
		if _, err := encodedSize(msg); err == nil {
			t.Errorf("%v was encoded", msg)
		}
	}
}
