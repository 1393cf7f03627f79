package main

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"

	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// rpc is a method of the shop.
type rpc struct {
	name           string
	policy         *policyv1.Policy
	get            string // its REST binding
	client, server bool   // which sides stream
}

// shop is a service with a method of every sort, all of them declared.
func shop() []rpc {
	return []rpc{
		{name: "GetOrder", policy: &policyv1.Policy{Scopes: []string{"orders.read"}}, get: "/v1/orders/{id}"},
		{name: "WatchOrders", server: true, policy: &policyv1.Policy{Condition: "request.owner == principal.subject"}, get: "/v1/orders:watch"},
		{name: "GetStatus", policy: &policyv1.Policy{Access: policyv1.Access_ACCESS_PUBLIC}},
		{name: "Import", client: true, policy: &policyv1.Policy{Access: policyv1.Access_ACCESS_DENIED}},
		{name: "Chat", client: true, server: true},
	}
}

// set is the descriptor set of the service test.shop.v1.Shop, which asks for an
// authenticated caller, with all that it imports, as protoc writes it.
func set(methods ...rpc) *descriptorpb.FileDescriptorSet {
	so := &descriptorpb.ServiceOptions{}
	proto.SetExtension(so, policyv1.E_Service, &policyv1.Policy{Access: policyv1.Access_ACCESS_AUTHENTICATED})
	return setOf(so, methods...)
}

func setOf(options *descriptorpb.ServiceOptions, methods ...rpc) *descriptorpb.FileDescriptorSet {
	service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("Shop"), Options: options}
	for _, m := range methods {
		mo := &descriptorpb.MethodOptions{}
		if m.policy != nil {
			proto.SetExtension(mo, policyv1.E_Method, m.policy)
		}
		if m.get != "" {
			proto.SetExtension(mo, annotations.E_Http, &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: m.get}})
		}
		service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
			Name: proto.String(m.name), InputType: proto.String(".google.protobuf.Empty"), OutputType: proto.String(".google.protobuf.Empty"),
			ClientStreaming: proto.Bool(m.client), ServerStreaming: proto.Bool(m.server), Options: mo,
		})
	}
	imports := []protoreflect.FileDescriptor{annotations.File_google_api_annotations_proto, policyv1.File_crosscut_policy_v1_policy_proto, emptypb.File_google_protobuf_empty_proto}
	file := &descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("shop.proto"), Package: proto.String("test.shop.v1"),
		Service: []*descriptorpb.ServiceDescriptorProto{service},
	}
	s := &descriptorpb.FileDescriptorSet{}
	for _, f := range imports {
		s.File = appendWithImports(s.File, f)
		file.Dependency = append(file.Dependency, f.Path())
	}
	s.File = append(s.File, file)
	return s
}

func appendWithImports(files []*descriptorpb.FileDescriptorProto, f protoreflect.FileDescriptor) []*descriptorpb.FileDescriptorProto {
	for _, known := range files {
		if known.GetName() == f.Path() {
			return files
		}
	}
	for i := range f.Imports().Len() {
		files = appendWithImports(files, f.Imports().Get(i).FileDescriptor)
	}
	return append(files, protodesc.ToFileDescriptorProto(f))
}

// markImports makes a buf image of a set: every file says whether it is there only
// because others import it.
func markImports(s *descriptorpb.FileDescriptorSet, isImport func(name string) bool) *descriptorpb.FileDescriptorSet {
	for _, f := range s.GetFile() {
		var mark []byte
		mark = protowire.AppendTag(mark, 2, protowire.VarintType) // is_syntax_unspecified
		mark = protowire.AppendVarint(mark, 0)
		mark = protowire.AppendTag(mark, bufIsImport, protowire.VarintType)
		mark = protowire.AppendVarint(mark, protowire.EncodeBool(isImport(f.GetName())))
		var wire []byte
		wire = protowire.AppendTag(wire, bufExtension, protowire.BytesType)
		f.ProtoReflect().SetUnknown(protowire.AppendBytes(wire, mark))
	}
	return s
}

func marshal(t *testing.T, s *descriptorpb.FileDescriptorSet) []byte {
	t.Helper()
	wire, err := proto.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// write puts content into a file of the test and returns its path.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
