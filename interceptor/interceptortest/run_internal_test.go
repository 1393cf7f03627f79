package interceptortest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
)

type (
	ctxT  = context.Context
	callT = interceptor.Call
	methT = interceptor.Method
)

// Good hooks keep every rule.
func TestRun(t *testing.T) {
	t.Parallel()
	bearer := func() interceptor.Hook {
		return authn.New(authn.Bearer(authn.StaticTokens(map[string]string{"token": "alice"})))
	}
	tests := []struct {
		name string
		hook func() interceptor.Hook
		opts []RunOption
	}{
		{"a hook that does nothing", func() interceptor.Hook { return interceptor.Base{} }, nil},
		{"every phase", everyPhase, nil},
		{"requestid", func() interceptor.Hook { return requestid.New() }, nil},
		{"logging", func() interceptor.Hook { return logging.New(slog.New(slog.DiscardHandler)) }, nil},
		{"authn", bearer, []RunOption{WithRequest(Request{Header: http.Header{"Authorization": {"Bearer token"}}})}},
		{"a hook that needs another", needsTenant, []RunOption{WithOuter(func() []interceptor.Hook { return []interceptor.Hook{setsTenant()} })}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			Run(t, tt.hook, tt.opts...)
		})
	}
}

func everyPhase() interceptor.Hook {
	return interceptor.FromFuncs("every", interceptor.Funcs{
		BeforeRequest:  func(ctx ctxT, _ *callT) (ctxT, error) { return context.WithValue(ctx, valueKey{}, 1), nil },
		BeforeHandler:  func(ctx ctxT, _ *callT, _ *methT) (ctxT, error) { return ctx, nil },
		OnReceive:      func(ctxT, *callT, any) error { return nil },
		WrapHandler:    func(next interceptor.Handler) interceptor.Handler { return next },
		OnSend:         func(ctxT, *callT, any) error { return nil },
		OnError:        func(_ ctxT, _ *callT, err error) error { return err },
		BeforeResponse: func(_ ctxT, call *callT) error { return call.ResponseHeader().Set("X-Every", "1") },
		AfterResponse:  func(ctxT, *callT) {},
	})
}

var tenantKey = interceptor.NewKey[string]("tenant")

type tenantHook struct {
	interceptor.Base
}

func (tenantHook) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{tenantKey} }

func (tenantHook) BeforeRequest(ctx ctxT, call *callT) (ctxT, error) {
	tenantKey.Set(call, "acme")
	return ctx, nil
}

func setsTenant() interceptor.Hook { return tenantHook{} }

type tenantUser struct {
	interceptor.Base
}

func (tenantUser) Requires() []interceptor.AnyKey { return []interceptor.AnyKey{tenantKey} }

func (tenantUser) BeforeHandler(ctx ctxT, call *callT, _ *methT) (ctxT, error) {
	if tenant, _ := tenantKey.Get(call); tenant != "acme" {
		return nil, interceptor.NewError(codes.PermissionDenied, "no tenant")
	}
	return ctx, nil
}

func needsTenant() interceptor.Hook { return tenantUser{} }

// A hook that breaks a rule is told apart from one that does not, and the problem
// says what it is.
func TestRunFindsBrokenHooks(t *testing.T) {
	t.Parallel()
	quit := make(chan struct{})
	t.Cleanup(func() { close(quit) })
	broken := []struct {
		name  string
		funcs interceptor.Funcs
		rule  string
		want  string
	}{
		{"panics", interceptor.Funcs{BeforeRequest: func(ctxT, *callT) (ctxT, error) { panic("oops") }},
			"a call without headers", "oops"},
		{"panics late", interceptor.Funcs{AfterResponse: func(ctxT, *callT) { panic("oops") }},
			"an accepted call succeeds", "oops"},
		{"foreign context", interceptor.Funcs{BeforeRequest: func(ctxT, *callT) (ctxT, error) { return context.Background(), nil }},
			"an accepted call succeeds", "not derived"},
		{"untyped rejection", interceptor.Funcs{BeforeHandler: func(ctxT, *callT, *methT) (ctxT, error) { return nil, errors.New("no") }},
			"a call without headers", "NewError"},
		{"rejects what it should accept", interceptor.Funcs{BeforeRequest: func(ctxT, *callT) (ctxT, error) { return nil, errHandler }},
			"an accepted call succeeds", "WithRequest"},
		{"replies instead of the handler", interceptor.Funcs{BeforeRequest: replyToAll},
			"an accepted call succeeds", "the handler was not reached"},
		{"replaces the handler's header", interceptor.Funcs{BeforeResponse: func(_ ctxT, call *callT) error { return call.ResponseHeader().Add(handlerHeader, "mine") }},
			"an accepted call succeeds", handlerHeader},
		{"leaks a goroutine", interceptor.Funcs{BeforeRequest: func(ctx ctxT, _ *callT) (ctxT, error) {
			go func() { <-quit }()
			return ctx, nil
		}}, "calls at the same time", "TestRunFindsBrokenHooks"},
		{"drops errors", interceptor.Funcs{OnError: func(ctxT, *callT, error) error { return nil }},
			"the handler fails", "OnError returned nil"},
		{"panics with the handler", interceptor.Funcs{OnError: func(ctxT, *callT, error) error { panic("oops") }},
			"the handler panics", "oops"},
		{"cannot bear a missing method", interceptor.Funcs{OnError: func(_ ctxT, call *callT, err error) error {
			_ = call.Method().Descriptor().Name()
			return err
		}}, "no such method or route", "nil pointer"},
	}
	for _, tt := range broken {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &conformance{newHook: func() interceptor.Hook { return interceptor.FromFuncs("broken", tt.funcs) }, outer: func() []interceptor.Hook { return nil }}
			c.request.Message = "hello"
			if tt.name == "leaks a goroutine" {
				c.linger = time.Millisecond
			}
			for _, r := range rules {
				if r.name != tt.rule {
					continue
				}
				if got := strings.Join(c.violations(t.Context(), ways[0], r), "\n"); !strings.Contains(got, tt.want) {
					t.Errorf("the problems are %q, want something with %q", got, tt.want)
				}
				return
			}
			t.Fatalf("there is no rule %q", tt.rule)
		})
	}
}

func replyToAll(ctx ctxT, call *callT) (ctxT, error) { return ctx, call.Reply(ways[0].reply("hello")) }

// Calls at the same time find state that is not kept per call.
func TestRunFindsSharedState(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	inside, together := 0, make(chan struct{})
	hook := interceptor.FromFuncs("one at a time", interceptor.Funcs{
		BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			mu.Lock()
			defer mu.Unlock()
			if inside++; inside == 2 {
				close(together)
			}
			call.Defer(func() {
				mu.Lock()
				defer mu.Unlock()
				inside--
			})
			if inside > 1 {
				return nil, interceptor.NewError(codes.Internal, "two calls at once")
			}
			return ctx, nil
		},
		WrapHandler: func(next interceptor.Handler) interceptor.Handler {
			return func(ctx ctxT, call *callT) error {
				<-together // until another call is there
				return next(ctx, call)
			}
		},
	})
	c := &conformance{newHook: func() interceptor.Hook { return hook }, outer: func() []interceptor.Hook { return nil }}
	for _, r := range rules {
		if r.calls > 1 {
			if got := strings.Join(c.violations(t.Context(), ways[0], r), "\n"); !strings.Contains(got, "two calls at once") {
				t.Errorf("the problems are %q", got)
			}
		}
	}
}

type fragile struct{ interceptor.Base }

func (fragile) BeforeResponse(_ ctxT, call *callT) error {
	_ = call.Peer().Addr.String()
	return nil
}

func TestRunFindsPanicsOnZeroCalls(t *testing.T) {
	t.Parallel()
	got := zeroCallProblems(t.Context(), fragile{})
	if len(got) != 1 || !strings.Contains(got[0], "BeforeResponse panics on a zero Call") {
		t.Errorf("the problems are %q", got)
	}
}
