package gateway

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/crosscut-go/crosscut/interceptor"
)

// lister is a connection that knows the methods it reaches, as the in-process
// connection of grpcadapter does.
type lister interface {
	Methods() []*interceptor.Method
}

// methodsOf returns the methods conn serves. A connection to elsewhere cannot
// say, so there every service linked into the program counts as served, which is
// a guess: the generated handlers bring the descriptors of the services they call
// with them.
func methodsOf(conn grpc.ClientConnInterface) (methods []*interceptor.Method, guess bool) {
	if l, ok := conn.(lister); ok {
		return l.Methods(), false
	}
	return linkedMethods(), true
}

func linkedMethods() []*interceptor.Method {
	var all []*interceptor.Method
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			methods := f.Services().Get(i).Methods()
			for j := range methods.Len() {
				d := methods.Get(j)
				name := fmt.Sprintf("/%s/%s", d.Parent().FullName(), d.Name())
				all = append(all, ops.NewMethod(name, d, uint8(kindOf(d))))
			}
		}
		return true
	})
	return all
}

func kindOf(d protoreflect.MethodDescriptor) interceptor.Kind {
	switch {
	case d.IsStreamingClient() && d.IsStreamingServer():
		return interceptor.BidiStream
	case d.IsStreamingServer():
		return interceptor.ServerStream
	case d.IsStreamingClient():
		return interceptor.ClientStream
	default:
		return interceptor.Unary
	}
}
