package grpcadapter

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// target is one registered RPC: what a dispatch of its name runs. It is made at
// registration and never changes.
type target struct {
	core   *core
	method *interceptor.Method
	srv    any

	// Exactly one of these is set: the wrapped copy of the description, as it
	// was handed to grpc-go.
	unary  *grpc.MethodDesc
	stream *grpc.StreamDesc

	// What WithInterceptors gave, chained; nil without. In-process dispatches run
	// these around the handler; over the wire they are part of grpc-go's chains.
	unaryInt  grpc.UnaryServerInterceptor
	streamInt grpc.StreamServerInterceptor

	// The user's own handlers, which the wrapped copies run in the end.
	runUnary  grpc.MethodHandler
	runStream grpc.StreamHandler
	// nested says that the handler is itself a wrapped one, of another stack or
	// of another registrar.
	nested bool
}

// encoder is what an in-process grpc.ServerTransportStream adds: it fails where
// the wire would fail to encode msg.
type encoder interface{ encode(msg any) error }

// find returns what fullMethod ("/pkg.Service/Method") was registered as, or
// nil. It is safe for concurrent use.
func (s *Server) find(fullMethod string) *target { return s.core.targets.find(fullMethod) }

// runUnary runs a unary RPC dispatched in process: the same path as over the
// wire. dec decodes the request into the message it is given. The error is what
// the client gets. A call that the connection linked to ctx is continued;
// otherwise the RPC is a call of its own.
func (s *Server) runUnary(ctx context.Context, t *target, dec func(any) error) (any, error) {
	return s.core.serveUnary(ctx, t, nil, link{call: linkedFrom(ctx)}, dec, t.unaryInt)
}

// runStream runs a streaming RPC dispatched in process. With a nil target the
// name is unknown, and the client gets UNIMPLEMENTED: a user's unknown-service
// handler is hidden in a grpc.ServerOption and answers over the wire only.
func (s *Server) runStream(ss grpc.ServerStream, fullMethod string, t *target) error {
	l := link{call: linkedFrom(ss.Context())}
	if t == nil {
		return s.core.serveStream(ss, fullMethod, nil, l, nil)
	}
	info := &grpc.StreamServerInfo{FullMethod: fullMethod, IsClientStream: t.stream.ClientStreams, IsServerStream: t.stream.ServerStreams}
	return s.core.serveStream(ss, fullMethod, t, l, func(w grpc.ServerStream) error {
		if t.streamInt == nil {
			return t.runStream(t.srv, w)
		}
		return t.streamInt(t.srv, w, info, t.runStream)
	})
}

// methodOf makes the method of one RPC. Its descriptor is the one linked into
// the program, nil for a service without.
func methodOf(service, name string, kind interceptor.Kind) *interceptor.Method {
	var desc any // a typed nil would not read as "no descriptor"
	if d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service)); err == nil {
		if sd, ok := d.(protoreflect.ServiceDescriptor); ok {
			if md := sd.Methods().ByName(protoreflect.Name(name)); md != nil {
				desc = md
			}
		}
	}
	return ops.NewMethod("/"+service+"/"+name, desc, uint8(kind))
}

// splitMethod splits "/pkg.Service/Method" at the last slash, as grpc-go does.
func splitMethod(fullMethod string) (service, name string) {
	rest := strings.TrimPrefix(fullMethod, "/")
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		return rest[:i], rest[i+1:]
	}
	return rest, ""
}

func kindOf(clientStreams, serverStreams bool) interceptor.Kind {
	switch {
	case clientStreams && serverStreams:
		return interceptor.BidiStream
	case clientStreams:
		return interceptor.ClientStream
	case serverStreams:
		return interceptor.ServerStream
	default:
		return interceptor.Unary
	}
}
