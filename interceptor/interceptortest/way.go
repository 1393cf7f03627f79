package interceptortest

import (
	"slices"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// front is how a call gets to its handler: what listens, and which adapter runs
// the stack.
type front uint8

const (
	grpcServer  front = iota // grpcadapter.NewServer
	grpcGuard                // services registered through grpcadapter.Guard on a grpc.Server
	grpcOptions              // a grpc.Server with grpcadapter.ServerOptions and nothing else
	grpcMounted              // grpcadapter.Server as a handler in httpadapter.NewMux, over HTTP/2
	inProcess                // grpcadapter.Server.Conn
	restGet                  // a gateway, binding without a body
	restPost                 // a gateway, binding with a body
	restMux                  // a gateway in httpadapter.NewMux
	plainMux                 // a handler in httpadapter.NewMux
	plainRouter              // httpadapter.Wrap around an http.ServeMux
	plainBare                // httpadapter.Wrap around one handler
)

// way is one transport of the kit: a kind of method behind a front.
type way struct {
	name  string
	front front
	kind  interceptor.Kind
}

// ways are all transports, in the order in which tests run them.
var ways = []*way{
	{"grpc/unary", grpcServer, interceptor.Unary},
	{"grpc/client-stream", grpcServer, interceptor.ClientStream},
	{"grpc/server-stream", grpcServer, interceptor.ServerStream},
	{"grpc/bidi-stream", grpcServer, interceptor.BidiStream},
	{"grpc-guard/unary", grpcGuard, interceptor.Unary},
	{"grpc-guard/client-stream", grpcGuard, interceptor.ClientStream},
	{"grpc-guard/server-stream", grpcGuard, interceptor.ServerStream},
	{"grpc-guard/bidi-stream", grpcGuard, interceptor.BidiStream},
	{"grpc-options/unary", grpcOptions, interceptor.Unary},
	{"grpc-options/client-stream", grpcOptions, interceptor.ClientStream},
	{"grpc-options/server-stream", grpcOptions, interceptor.ServerStream},
	{"grpc-options/bidi-stream", grpcOptions, interceptor.BidiStream},
	{"grpc-mounted/unary", grpcMounted, interceptor.Unary},
	{"grpc-mounted/client-stream", grpcMounted, interceptor.ClientStream},
	{"grpc-mounted/server-stream", grpcMounted, interceptor.ServerStream},
	{"grpc-mounted/bidi-stream", grpcMounted, interceptor.BidiStream},
	{"in-process/unary", inProcess, interceptor.Unary},
	{"in-process/client-stream", inProcess, interceptor.ClientStream},
	{"in-process/server-stream", inProcess, interceptor.ServerStream},
	{"in-process/bidi-stream", inProcess, interceptor.BidiStream},
	{"rest/unary", restGet, interceptor.Unary},
	{"rest/unary-with-body", restPost, interceptor.Unary},
	{"rest/server-stream", restGet, interceptor.ServerStream},
	{"rest/bidi-stream", restPost, interceptor.BidiStream},
	{"rest-in-mux/unary", restMux, interceptor.Unary},
	{"rest-in-mux/server-stream", restMux, interceptor.ServerStream},
	{"http/mux", plainMux, interceptor.Unary},
	{"http/router", plainRouter, interceptor.Unary},
	{"http/handler", plainBare, interceptor.Unary},
}

// Transports returns the names of all transports, as [Result.Transport] and the
// names of subtests have them: a front, and after the slash the kind of method or
// handler.
//
//	grpc/…          grpcadapter.NewServer: unary, client-stream, server-stream, bidi-stream
//	grpc-guard/…    a grpc.Server with the service registered through grpcadapter.Guard
//	grpc-options/…  a grpc.Server with grpcadapter.ServerOptions alone
//	grpc-mounted/…  a grpcadapter.Server in httpadapter.NewMux, over HTTP/2
//	in-process/…    grpcadapter.Server.Conn
//	rest/…          grpc-gateway: unary, unary-with-body, server-stream, bidi-stream
//	rest-in-mux/…   grpc-gateway in httpadapter.NewMux: unary, server-stream
//	http/mux        a handler in httpadapter.NewMux
//	http/router     httpadapter.Wrap around an http.ServeMux
//	http/handler    httpadapter.Wrap around one handler, which is the method "*"
//
// Later versions may add to them.
func Transports() []string {
	names := make([]string, len(ways))
	for i, w := range ways {
		names[i] = w.name
	}
	return names
}

// is tells whether the way has one of the fronts.
func (w *way) is(fronts ...front) bool { return slices.Contains(fronts, w.front) }

// plain ways have no messages.
func (w *way) plain() bool { return w.is(plainMux, plainRouter, plainBare) }

func (w *way) rest() bool { return w.is(restGet, restPost, restMux) }

// http ways have an HTTP status and an HTTP body; a mounted gRPC server has none.
func (w *way) http() bool { return w.plain() || w.rest() }

// streams tells whether the response is a stream.
func (w *way) streams() bool {
	return w.kind == interceptor.ServerStream || w.kind == interceptor.BidiStream
}

// receivesMany tells whether the request is a stream.
func (w *way) receivesMany() bool {
	return w.kind == interceptor.ClientStream || w.kind == interceptor.BidiStream
}

const servicePath = "/" + "crosscut.conformance.v1.ConformanceService" + "/"

// method is the full name of the RPC; "" on plain ways.
func (w *way) method() string {
	switch {
	case w.plain():
		return ""
	case w.kind == interceptor.ClientStream:
		return pb.ConformanceService_ClientStream_FullMethodName
	case w.kind == interceptor.ServerStream:
		return pb.ConformanceService_ServerStream_FullMethodName
	case w.kind == interceptor.BidiStream:
		return pb.ConformanceService_BidiStream_FullMethodName
	default:
		return pb.ConformanceService_Unary_FullMethodName
	}
}

// reply is a response message of the way's method; nil on plain ways.
func (w *way) reply(text string) any {
	switch {
	case w.plain():
		return nil
	case w.kind == interceptor.ClientStream:
		return &pb.ClientStreamResponse{Text: text}
	case w.kind == interceptor.ServerStream:
		return &pb.ServerStreamResponse{Text: text}
	case w.kind == interceptor.BidiStream:
		return &pb.BidiStreamResponse{Text: text}
	default:
		return &pb.UnaryResponse{Text: text}
	}
}
