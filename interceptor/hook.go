package interceptor

import "context"

// Hook is one concern around every call. Implementations usually embed [Base]
// and override the phases they need; the optional interfaces [Named],
// [MessageHook], [ResponseHook], [HandlerHook], [Requirer], [Provider],
// [Decider], [Enforcer], [Demander], [MethodPlanner] and [MethodChecker] add to
// what a hook can do and are found once, when the stack is built.
//
// One hook value serves all calls at once, so whatever belongs to one call is
// kept in that call: by a [Key], in the returned context, or in a closure given
// to [Call.Defer]. The phases of one call never overlap, except that on a stream
// OnReceive may run beside OnSend and BeforeResponse.
//
// A hook is entered when its BeforeRequest returns nil. Every entered hook gets
// AfterResponse exactly once, on every path: success, rejection, panic,
// cancellation, shutdown. A panic in a phase is an error of that phase: it
// becomes INTERNAL for the client and a [*PanicError] for the operator, and never
// stops another hook's AfterResponse.
type Hook interface {
	// BeforeRequest runs outermost first when headers and peer are known;
	// nothing of the body has been read and the method is not resolved (on gRPC
	// guarded by plain interceptors only, a unary body has already been decoded).
	// It returns ctx or a context derived from it, which hooks further in and
	// this hook's later phases receive. An error rejects the call: nothing
	// further in runs, and this hook is not entered.
	BeforeRequest(ctx context.Context, call *Call) (context.Context, error)

	// BeforeHandler runs outermost first once the method is resolved; still
	// nothing of the body has been decoded. Access is decided here. It is skipped
	// only where no code of the user's would run: unknown RPCs, and the mux's own
	// 404, 405 and redirects. The context it returns reaches the BeforeHandler of
	// inner hooks, message hooks, WrapHandler and the handler. An error rejects
	// the call.
	BeforeHandler(ctx context.Context, call *Call, method *Method) (context.Context, error)

	// OnError runs innermost first, once, when the call has failed. Returning err
	// keeps it, another error replaces it for the hooks further out and for the
	// client; the original stays reachable with errors.Is and errors.As.
	// Answering with [Call.Reply] or [Call.ReplyHTTP] and returning nil recovers.
	// Once the status has left, the result is ignored.
	OnError(ctx context.Context, call *Call, err error) error

	// AfterResponse runs innermost first, exactly once, when the outcome is
	// final. Call.Err, Call.Code and Call.HTTPStatus say what the client got.
	AfterResponse(ctx context.Context, call *Call)
}

// Base implements every phase of [Hook] as a no-op. Embed it in a hook and
// override what the hook is about.
type Base struct{}

var _ Hook = Base{}

// BeforeRequest lets the call pass.
func (Base) BeforeRequest(ctx context.Context, _ *Call) (context.Context, error) { return ctx, nil }

// BeforeHandler lets the call pass.
func (Base) BeforeHandler(ctx context.Context, _ *Call, _ *Method) (context.Context, error) {
	return ctx, nil
}

// OnError keeps the error.
func (Base) OnError(_ context.Context, _ *Call, err error) error { return err }

// AfterResponse does nothing.
func (Base) AfterResponse(context.Context, *Call) {}

// Funcs are the phases of a hook made by [FromFuncs]; each may be nil. They are
// called as the methods of the same names are.
type Funcs struct {
	BeforeRequest  func(ctx context.Context, call *Call) (context.Context, error)
	BeforeHandler  func(ctx context.Context, call *Call, method *Method) (context.Context, error)
	OnReceive      func(ctx context.Context, call *Call, msg any) error
	WrapHandler    func(next Handler) Handler
	OnSend         func(ctx context.Context, call *Call, msg any) error
	OnError        func(ctx context.Context, call *Call, err error) error
	BeforeResponse func(ctx context.Context, call *Call) error
	AfterResponse  func(ctx context.Context, call *Call)
}

// FromFuncs makes a hook of functions. Only the functions that are set count:
// a hook without WrapHandler costs nothing around the handler. An empty name is
// a construction error of the stack.
func FromFuncs(name string, funcs Funcs) Hook { return &funcsHook{name: name, funcs: funcs} }

type funcsHook struct {
	name  string
	funcs Funcs
}

func (h *funcsHook) Name() string { return h.name }

func (h *funcsHook) BeforeRequest(ctx context.Context, call *Call) (context.Context, error) {
	if h.funcs.BeforeRequest == nil {
		return ctx, nil
	}
	return h.funcs.BeforeRequest(ctx, call)
}

func (h *funcsHook) BeforeHandler(ctx context.Context, call *Call, method *Method) (context.Context, error) {
	if h.funcs.BeforeHandler == nil {
		return ctx, nil
	}
	return h.funcs.BeforeHandler(ctx, call, method)
}

func (h *funcsHook) OnError(ctx context.Context, call *Call, err error) error {
	if h.funcs.OnError == nil {
		return err
	}
	return h.funcs.OnError(ctx, call, err)
}

func (h *funcsHook) AfterResponse(ctx context.Context, call *Call) {
	if h.funcs.AfterResponse != nil {
		h.funcs.AfterResponse(ctx, call)
	}
}

// The optional phases of a funcsHook become interfaces only where they are set.
type (
	funcsMessages struct{ *funcsHook }
	funcsResponse struct{ *funcsHook }
	funcsHandler  struct{ *funcsHook }
)

func (h funcsMessages) OnReceive(ctx context.Context, call *Call, msg any) error {
	if h.funcs.OnReceive == nil {
		return nil
	}
	return h.funcs.OnReceive(ctx, call, msg)
}

func (h funcsMessages) OnSend(ctx context.Context, call *Call, msg any) error {
	if h.funcs.OnSend == nil {
		return nil
	}
	return h.funcs.OnSend(ctx, call, msg)
}

func (h funcsResponse) BeforeResponse(ctx context.Context, call *Call) error {
	return h.funcs.BeforeResponse(ctx, call)
}

func (h funcsHandler) WrapHandler(next Handler) Handler { return h.funcs.WrapHandler(next) }

// As gives hook another name, for logs, Explain and errors; two hooks of one
// type in a stack need it. Optional interfaces of hook keep working.
func As(name string, hook Hook) Hook { return &renamed{Hook: hook, name: name} }

type renamed struct {
	Hook
	name string
}

// NotUsed returns a hook that the stack leaves out; [Stack.Explain] gives the
// reason. Constructors return it when their configuration makes the hook moot.
func NotUsed(reason string) Hook { return &notUsed{reason: reason} }

type notUsed struct {
	Base
	reason string
}
