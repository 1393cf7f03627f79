package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// load reads the services of a descriptor set from a file or standard input.
func load(file string, stdin io.Reader) ([]protoreflect.ServiceDescriptor, error) {
	name := file
	if file == "" || file == "-" {
		name = "standard input"
	}
	wire, err := read(file, stdin)
	if err != nil {
		return nil, err
	}
	if len(wire) == 0 {
		return nil, fmt.Errorf("%s is empty; pipe a descriptor set in, such as that of buf build -o -", name)
	}
	services, err := parseSet(wire)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return services, nil
}

func read(file string, stdin io.Reader) ([]byte, error) {
	if file == "" || file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

// parseSet returns the services of the files of a set that were not only imported. A
// buf image is a FileDescriptorSet with a field more per file.
func parseSet(wire []byte) ([]protoreflect.ServiceDescriptor, error) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(wire, set); err != nil {
		return nil, errors.New("it is not a binary FileDescriptorSet or buf image; make one with buf build -o api.binpb, or with protoc --include_imports --descriptor_set_out=api.binpb")
	}
	if len(set.GetFile()) == 0 {
		return nil, errors.New("it has no files; make a set with buf build -o api.binpb, or with protoc --include_imports --descriptor_set_out=api.binpb")
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, fmt.Errorf("its descriptors do not fit together: %w; with protoc, pass --include_imports", err)
	}
	var services []protoreflect.ServiceDescriptor
	for _, f := range set.GetFile() {
		if imported(f) {
			continue
		}
		d, err := files.FindFileByPath(f.GetName())
		if err != nil {
			return nil, err
		}
		for i := range d.Services().Len() {
			services = append(services, d.Services().Get(i))
		}
	}
	if len(services) == 0 { // an audit of nothing must not look like one that found nothing
		return nil, errors.New("it has no services, apart from those that are only imported; pass the set of the services to audit")
	}
	return services, nil
}

// The fields of buf's image format that say whether a file is there only because
// others import it (buf.alpha.image.v1.ImageFile.buf_extension and its is_import).
const (
	bufExtension protowire.Number = 8042
	bufIsImport  protowire.Number = 1
)

func imported(f *descriptorpb.FileDescriptorProto) bool {
	extension, ok := field(f.ProtoReflect().GetUnknown(), bufExtension, protowire.BytesType)
	if !ok {
		return false
	}
	content, _ := protowire.ConsumeBytes(extension)
	isImport, ok := field(content, bufIsImport, protowire.VarintType)
	if !ok {
		return false
	}
	v, _ := protowire.ConsumeVarint(isImport)
	return v != 0
}

// field returns what follows the tag of the last field of that number and type, the
// one that counts.
func field(wire []byte, number protowire.Number, want protowire.Type) (value []byte, ok bool) {
	for len(wire) > 0 {
		n, t, tag := protowire.ConsumeTag(wire)
		if tag < 0 {
			break
		}
		size := protowire.ConsumeFieldValue(n, t, wire[tag:])
		if size < 0 {
			break
		}
		if n == number && t == want {
			value, ok = wire[tag:tag+size], true
		}
		wire = wire[tag+size:]
	}
	return value, ok
}
