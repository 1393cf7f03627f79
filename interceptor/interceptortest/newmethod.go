package interceptortest

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/crosscut-go/crosscut/interceptor"
)

// NewMethod returns a method for unit tests, as an adapter makes it when a
// service or route is registered. A name such as "/pkg.Service/Method" is an RPC:
// with descriptor and kind where the generated code of the service is linked
// into the test, and otherwise, as for a service registered without a .proto,
// unary with a nil descriptor. Any other name is a plain route, such as
// "GET /files/{name}" or "*". Two calls return two methods: hooks compare methods
// by pointer.
func NewMethod(name string) *interceptor.Method {
	service, method, ok := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !strings.HasPrefix(name, "/") || !ok || strings.Contains(method, "/") {
		return ops.NewRoute(name)
	}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + method))
	desc, isMethod := found.(protoreflect.MethodDescriptor)
	if err != nil || !isMethod {
		return ops.NewMethod(name, nil, uint8(interceptor.Unary))
	}
	return NewMethodOf(desc)
}

// NewMethodOf returns the method of a descriptor for unit tests, as [NewMethod]
// does for a name. It panics on nil.
func NewMethodOf(desc protoreflect.MethodDescriptor) *interceptor.Method {
	kind := interceptor.Unary
	switch {
	case desc.IsStreamingClient() && desc.IsStreamingServer():
		kind = interceptor.BidiStream
	case desc.IsStreamingClient():
		kind = interceptor.ClientStream
	case desc.IsStreamingServer():
		kind = interceptor.ServerStream
	}
	name := "/" + string(desc.Parent().FullName()) + "/" + string(desc.Name())
	return ops.NewMethod(name, desc, uint8(kind))
}
