package grpcadapter

import (
	"context"

	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/interceptor"
)

// WithInterceptors gives a [Server] interceptors that also run over [Server.Conn].
// They run inside the whole stack, within OnReceive and WrapHandler, directly
// around the handler; their errors and replies are the handler's. Over the wire
// they keep their place among grpc-go's own interceptor options. Either may be
// nil; repeating the option chains, the first outermost. On a server that was
// not made by [NewServer] it has no effect.
func WithInterceptors(unary grpc.UnaryServerInterceptor, stream grpc.StreamServerInterceptor) grpc.ServerOption {
	return &interceptorsOption{unary: unary, stream: stream}
}

type interceptorsOption struct {
	grpc.EmptyServerOption
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
}

// WireOnlyInterceptors says that the interceptors in plain options, such as
// grpc.ChainUnaryInterceptor, are meant for calls over the wire only. Without it
// [Server.Conn] refuses to work beside them, because an old interceptor may be
// what checks credentials. By default they are not; repeating it changes
// nothing.
func WireOnlyInterceptors() grpc.ServerOption { return &wireOnlyOption{} }

type wireOnlyOption struct{ grpc.EmptyServerOption }

// ServerOptions returns options that make a grpc.Server built elsewhere run the
// stack: interceptors, and an answer to unknown methods. List them first; other
// interceptors run where they are listed. Adoption costs one line, but
//
//   - the request of a unary call has been decoded before any hook runs, and what
//     cannot be decoded never reaches one,
//   - your own grpc.UnknownServiceHandler must be listed after them, since
//     grpc-go keeps the last,
//   - methods become known at their first call, so a hook that refuses a method
//     closes it then instead of keeping the server from starting.
//
// [Guard] does better for the services registered through it, and both may be
// used together: the stack runs once. Malformed method names, an unknown
// grpc-encoding, refused headers and deadlines that had expired on arrival never
// reach any hook, however the stack is installed. A nil stack panics.
func ServerOptions(stack *interceptor.Stack) []grpc.ServerOption {
	c := newCore("ServerOptions", stack)
	c.lookup = c.lookupUnseen
	c.knowsService = func(ctx context.Context, service string) bool { return serverIn(ctx).hasService(service) }
	c.unknown = newUnknownTarget(c)
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(c.unaryNet),
		grpc.ChainStreamInterceptor(c.head),
		grpc.UnknownServiceHandler(c.answerUnknown),
	}
}

// options is what NewServer makes of the user's list.
type options struct {
	grpc     []grpc.ServerOption // for grpc-go, ours replaced by what they stand for
	plain    []grpc.ServerOption // without ours
	unary    []grpc.UnaryServerInterceptor
	stream   []grpc.StreamServerInterceptor
	wireOnly bool
}

func sortOptions(opts []grpc.ServerOption) options {
	var o options
	for _, opt := range opts {
		switch opt := opt.(type) {
		case *interceptorsOption:
			if opt.unary != nil {
				o.unary = append(o.unary, opt.unary)
				o.grpc = append(o.grpc, grpc.ChainUnaryInterceptor(opt.unary))
			}
			if opt.stream != nil {
				o.stream = append(o.stream, opt.stream)
				o.grpc = append(o.grpc, grpc.ChainStreamInterceptor(opt.stream))
			}
		case *wireOnlyOption:
			o.wireOnly = true
		default:
			o.plain = append(o.plain, opt)
			o.grpc = append(o.grpc, opt)
		}
	}
	return o
}

// chainUnary makes one interceptor of several, nil of none.
func chainUnary(list []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	if len(list) < 2 {
		return append(list, nil)[0]
	}
	inner := chainUnary(list[1:])
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return list[0](ctx, req, info, func(ctx context.Context, req any) (any, error) {
			return inner(ctx, req, info, handler)
		})
	}
}

// chainStream makes one interceptor of several, nil of none.
func chainStream(list []grpc.StreamServerInterceptor) grpc.StreamServerInterceptor {
	if len(list) < 2 {
		return append(list, nil)[0]
	}
	inner := chainStream(list[1:])
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return list[0](srv, ss, info, func(srv any, ss grpc.ServerStream) error {
			return inner(srv, ss, info, handler)
		})
	}
}
