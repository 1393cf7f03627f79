package policy_test

import (
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// The method that describe makes.
const (
	described        = "/policy.test.S/M"
	describedService = "policy.test.S"
)

// describe returns the descriptor of a service with one method, whose .proto has these
// options, nil for none.
func describe(t testing.TB, service, method *policyv1.Policy) protoreflect.ServiceDescriptor {
	t.Helper()
	so, mo := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	if service != nil {
		proto.SetExtension(so, policyv1.E_Service, service)
	}
	if method != nil {
		proto.SetExtension(mo, policyv1.E_Method, method)
	}
	proto.SetExtension(mo, annotations.E_Http, &annotations.HttpRule{
		Pattern: &annotations.HttpRule_Get{Get: "/v1/m/{id}"},
		AdditionalBindings: []*annotations.HttpRule{
			{Pattern: &annotations.HttpRule_Put{Put: "/p"}}, {Pattern: &annotations.HttpRule_Post{Post: "/p"}},
			{Pattern: &annotations.HttpRule_Delete{Delete: "/p"}}, {Pattern: &annotations.HttpRule_Patch{Patch: "/p"}},
			{Pattern: &annotations.HttpRule_Custom{Custom: &annotations.CustomHttpPattern{Kind: "HEAD", Path: "/p"}}}, {},
		},
	})
	return describeOptions(t, so, mo)
}

func describeOptions(t testing.TB, service *descriptorpb.ServiceOptions, method *descriptorpb.MethodOptions) protoreflect.ServiceDescriptor {
	t.Helper()
	value := proto.String(".google.protobuf.StringValue")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("policy_test.proto"), Package: proto.String("policy.test"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Options: service, Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("M"), InputType: value, OutputType: value, Options: method},
		}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return file.Services().Get(0)
}

// withUnknown adds a field that no version has yet.
func withUnknown[M proto.Message](m M) M {
	m.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	return m
}
