package interceptor

import "context"

// observed returns a copy of the stack that tells see of every phase just before
// the hook runs it, and changes nothing else. Tests see by it what hooks were
// called for, whatever wraps them in a stack. It is another stack: see
// [Stack.With].
func (s *Stack) observed(see func(call *Call, hook, phase string)) *Stack {
	next := &Stack{listed: s.listed, skipped: s.skipped, report: s.report, chains: map[string]Handler{}}
	for _, e := range s.entries {
		own := *e
		own.useFuncs(&funcsHook{name: e.name, funcs: e.observed(see)})
		own.hook = &funcsHook{name: e.name, funcs: own.funcs}
		next.entries = append(next.entries, &own)
	}
	for k := range next.unresolved {
		next.unresolved[k] = next.compile(nil, s.unresolved[k].kind)
	}
	return next
}

// observed returns the phases that the hook has, each telling see first.
func (e *entry) observed(see func(*Call, string, string)) Funcs {
	f := e.phases()
	before := func(call *Call, phase string) { see(call, e.name, phase) }
	own := f
	if f.BeforeRequest != nil {
		own.BeforeRequest = func(ctx context.Context, call *Call) (context.Context, error) {
			before(call, "BeforeRequest")
			return f.BeforeRequest(ctx, call)
		}
	}
	if f.BeforeHandler != nil {
		own.BeforeHandler = func(ctx context.Context, call *Call, m *Method) (context.Context, error) {
			before(call, "BeforeHandler")
			return f.BeforeHandler(ctx, call, m)
		}
	}
	if f.OnError != nil {
		own.OnError = func(ctx context.Context, call *Call, err error) error {
			before(call, "OnError")
			return f.OnError(ctx, call, err)
		}
	}
	if f.AfterResponse != nil {
		own.AfterResponse = func(ctx context.Context, call *Call) {
			before(call, "AfterResponse")
			f.AfterResponse(ctx, call)
		}
	}
	observeOptional(&own, f, before)
	return own
}

func observeOptional(own *Funcs, f Funcs, before func(*Call, string)) {
	if f.OnReceive != nil {
		own.OnReceive = func(ctx context.Context, call *Call, msg any) error {
			before(call, "OnReceive")
			return f.OnReceive(ctx, call, msg)
		}
	}
	if f.OnSend != nil {
		own.OnSend = func(ctx context.Context, call *Call, msg any) error {
			before(call, "OnSend")
			return f.OnSend(ctx, call, msg)
		}
	}
	if f.BeforeResponse != nil {
		own.BeforeResponse = func(ctx context.Context, call *Call) error {
			before(call, "BeforeResponse")
			return f.BeforeResponse(ctx, call)
		}
	}
	if f.WrapHandler != nil {
		own.WrapHandler = func(next Handler) Handler {
			h := f.WrapHandler(next)
			if h == nil {
				return nil
			}
			return func(ctx context.Context, call *Call) error {
				before(call, "WrapHandler")
				return h(ctx, call)
			}
		}
	}
}

// phases are the phases the hook has, as functions.
func (e *entry) phases() Funcs {
	if e.isFuncs {
		return e.funcs
	}
	f := Funcs{
		BeforeRequest: e.hook.BeforeRequest,
		BeforeHandler: e.hook.BeforeHandler,
		OnError:       e.hook.OnError,
		AfterResponse: e.hook.AfterResponse,
	}
	if e.messages != nil {
		f.OnReceive, f.OnSend = e.messages.OnReceive, e.messages.OnSend
	}
	if e.response != nil {
		f.BeforeResponse = e.response.BeforeResponse
	}
	if e.handler != nil {
		f.WrapHandler = e.handler.WrapHandler
	}
	return f
}
