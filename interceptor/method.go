package interceptor

import (
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Kind says which sides of a method stream.
type Kind uint8

// The kinds of method. A plain HTTP route is Unary.
const (
	Unary Kind = iota
	ClientStream
	ServerStream
	BidiStream
)

// String returns the kind in the words of gRPC.
func (k Kind) String() string {
	switch k {
	case ClientStream:
		return "client stream"
	case ServerStream:
		return "server stream"
	case BidiStream:
		return "bidi stream"
	default:
		return "unary"
	}
}

func (k Kind) singleRequest() bool  { return k == Unary || k == ServerStream }
func (k Kind) singleResponse() bool { return k == Unary || k == ClientStream }

// Method is one RPC of one server, whichever transport or REST binding reached
// it, or one plain route. Methods come from registration, never from what a
// client sent; compare them by pointer. A nil *Method answers like a method
// without a name.
type Method struct {
	name   string
	desc   protoreflect.MethodDescriptor
	kind   Kind
	plain  bool // a plain HTTP route: it has no messages
	plans  atomic.Pointer[[]*plan]
	mu     sync.Mutex // serialises additions to plans and checks
	checks []methodCheck
}

// Name returns "/pkg.Service/Method" for an RPC, the registered pattern for a
// plain route, and the fixed names "*" (a bare handler) and "grpc:*" (the user's
// own unknown-service handler) for what an adapter cannot look into.
func (m *Method) Name() string {
	if m == nil {
		return ""
	}
	return m.name
}

// Descriptor returns the descriptor of the RPC, the same over every transport,
// or nil for a plain route and for services that were registered without one.
func (m *Method) Descriptor() protoreflect.MethodDescriptor {
	if m == nil {
		return nil
	}
	return m.desc
}

// Plain tells whether the method is a plain HTTP route rather than an RPC. Names
// alone cannot tell: "/pkg.Service/Method" is also a valid pattern of a mux.
func (m *Method) Plain() bool { return m != nil && m.plain }

// Kind returns which sides of the method stream.
func (m *Method) Kind() Kind {
	if m == nil {
		return Unary
	}
	return m.kind
}

// PerMethod returns a function that computes compute's result once per method
// and reads it in nanoseconds from then on. Hooks use it for whatever depends on
// the method alone (options, attribute sets, limits) so that no call pays for
// it. compute may be called with nil; it runs once per method even when many
// calls ask at the same time. If it panics, every call for that method panics
// with the same value, so that no zero T passes for a result. Results live as
// long as the returned function.
func PerMethod[T any](compute func(*Method) T) func(*Method) T {
	var values sync.Map // *Method to func() T
	return func(m *Method) T {
		found, ok := values.Load(m)
		if !ok {
			found, _ = values.LoadOrStore(m, sync.OnceValue(func() T { return compute(m) }))
		}
		return found.(func() T)()
	}
}
