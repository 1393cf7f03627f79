package interceptor

import (
	"context"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Named gives a hook a stable name for logs, [Stack.Explain] and errors. The
// default is its package and type. Names are unique within a stack; see [As].
type Named interface {
	Name() string
}

// MessageHook sees every message of a call; a unary call is a stream of one.
// Plain routes have no messages, and neither method is called there. A call
// whose messages an adapter cannot show fails closed before its handler runs.
// On a stream the two may run at the same time, each by one goroutine at a time.
type MessageHook interface {
	// OnReceive runs outermost first after a request message was decoded. An
	// error clears the message, ends the call with that error whatever the
	// handler does, and the handler never sees the message.
	OnReceive(ctx context.Context, call *Call, msg any) error
	// OnSend runs innermost first before a response message is encoded. An error
	// ends the call with that error.
	OnSend(ctx context.Context, call *Call, msg any) error
}

// ResponseHook runs just before the response headers are committed.
type ResponseHook interface {
	// BeforeResponse runs innermost first, once per call, on success and on
	// error: the last moment to set a header, to replace a reply on a call that
	// has not failed, or to refuse by returning an error. On a stream it runs
	// after OnSend of the first message and before its bytes.
	BeforeResponse(ctx context.Context, call *Call) error
}

// Handler is the handler of a call as [HandlerHook] sees it. Its error is the
// call's; the response is read with [Call.Response].
type Handler func(ctx context.Context, call *Call) error

// HandlerHook runs code around the handler, after decode: transactions, retries,
// profiling labels.
type HandlerHook interface {
	// WrapHandler is called once per distinct chain of hooks, when the stack
	// learns of a method, never per call. The Handler it returns is called by
	// many goroutines at once. It may answer with [Call.Reply] instead of calling
	// next. Calling next again is allowed only on a unary RPC whose last run
	// returned an error; anywhere else the call fails INTERNAL naming the hook.
	// A panic of the handler arrives as a [*PanicError] returned by next.
	WrapHandler(next Handler) Handler
}

// Requirer names the keys that hooks listed before this one must provide.
type Requirer interface {
	Requires() []AnyKey
}

// Provider names the keys that this hook sets for hooks listed after it. Inside
// a [When] they count only inside it.
type Provider interface {
	Provides() []AnyKey
}

// Decider marks a hook that decides access. It agrees by returning nil from
// BeforeHandler and, if it is a [MessageHook], from every OnReceive. Before the last
// Decider of a call has agreed to the call, a reply with content is refused. A
// Decider that does not agree makes the call [Call.Denied].
type Decider interface {
	Decides()
}

// LastDecider is a [Decider] that wants to know where no other decides after it:
// one that says who calls, for example, and leaves to another what they may do.
type LastDecider interface {
	// DecidesLast is called when the stack learns of a method, never per call: once
	// for each method and transport on which this hook is effective and no hook
	// further in decides access. It may be called by several goroutines at once.
	DecidesLast(method *Method)
}

// Enforcer names the policy option fields, by full name, that this hook enforces:
// "crosscut.policy.v1.Policy.scopes", for example. A method whose policy sets a field
// that no effective hook enforces is closed, and its server does not start.
//
// The options themselves, crosscut.policy.v1.method and crosscut.policy.v1.service,
// are fields too: of the options of a .proto. The hook that reads them names them,
// and the hooks that enforce what it read are listed after it.
type Enforcer interface {
	// Enforces is called once, when the stack is built.
	Enforces() []protoreflect.FullName
}

// Demander is a hook that knows what a method demands and leaves it to hooks listed
// after it to enforce that, such as the hook of package policy.
type Demander interface {
	// Demands returns the full names of the policy fields that must be enforced on
	// calls of the method. It is called at start-up, for every registered method
	// the hook is effective on and for each transport, or when a route is first
	// seen at run time. A field that no [Enforcer] among the effective hooks from
	// this one inward names closes the method.
	Demands(method *Method) []protoreflect.FullName
}

// MethodChecker refuses, at start-up, methods the hook could not serve.
type MethodChecker interface {
	// CheckMethod is shown, once, every registered method the hook is effective
	// on, from one goroutine at a time per method. Its error keeps the server
	// from starting; for a route first seen at run time it closes that route.
	CheckMethod(method *Method) error
}
