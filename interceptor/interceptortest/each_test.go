package interceptortest_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

var tenantKey = interceptor.NewKey[string]("tenant")

// newTenant is a hook as users write it.
func newTenant(byHost map[string]string) interceptor.Hook {
	return interceptor.FromFuncs("tenant", interceptor.Funcs{
		BeforeHandler: func(ctx ctxT, call *callT, _ *methT) (ctxT, error) {
			id, ok := byHost[call.Authority()]
			if !ok {
				return nil, interceptor.NewError(codes.PermissionDenied, "unknown tenant")
			}
			tenantKey.Set(call, id)
			return ctx, nil
		},
	})
}

var tenants = map[string]string{"acme.example": "acme"}

func TestUnknownTenantIsRefused(t *testing.T) {
	t.Parallel()
	hooks := []interceptor.Hook{newTenant(tenants)}
	interceptortest.Each(t, hooks, interceptortest.Request{Authority: "evil.example"}, func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.PermissionDenied || got.Reached {
			t.Errorf("code %v, handler reached %v; want PermissionDenied, false", got.Code, got.Reached)
		}
		if want := []string{"BeforeHandler tenant"}; !slices.Equal(got.Trace, want) {
			t.Errorf("trace %q, want %q", got.Trace, want)
		}
		isHTTP := got.Call.Transport() == interceptor.HTTP
		if isHTTP != (got.HTTPStatus == http.StatusForbidden) || isHTTP != (got.Body != "") {
			t.Errorf("HTTP status %d, body %q", got.HTTPStatus, got.Body)
		}
		if st := status.Convert(got.Err); st.Message() != "unknown tenant" {
			t.Errorf("the client reads %q", st.Message())
		}
	})
}

// What an inner hook puts into the call is in the record of the logger further
// out, on every transport.
func TestTenantIsLogged(t *testing.T) {
	t.Parallel()
	var log records
	hooks := []interceptor.Hook{logging.New(slog.New(slog.NewTextHandler(&log, nil)), logging.Keys(tenantKey)), newTenant(tenants)}
	request := interceptortest.Request{Authority: "acme.example", Message: "hello"}
	interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.OK || !got.Reached || !slices.Equal(got.Replies, []string{"hello"}) || len(got.Reports) != 0 {
			t.Errorf("code %v, handler reached %v, replies %q, reports %v", got.Code, got.Reached, got.Replies, got.Reports)
		}
		if id, _ := tenantKey.Get(got.Call); id != "acme" {
			t.Errorf("the tenant is %q", id)
		}
		if lines := log.take(); len(lines) != 1 || !strings.Contains(lines[0], "tenant=acme") {
			t.Errorf("the records are %q, want one with tenant=acme", lines)
		}
	})
}

// records keeps the lines of a log.
type records struct {
	mu    sync.Mutex
	lines []string
}

func (r *records) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(line))
	return len(line), nil
}

func (r *records) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

func TestEachSendsTheRequest(t *testing.T) {
	t.Parallel()
	var seen []string
	hook := interceptor.FromFuncs("reads", interceptor.Funcs{
		BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			seen = slices.Clone(call.RequestHeader().Values("X-Many"))
			return ctx, call.ResponseTrailer().Set("X-Trailer", "hook")
		},
	})
	request := interceptortest.Request{
		Header:         http.Header{"x-many": {"one", "two"}},
		ResponseHeader: http.Header{"X-Handler": {"set"}},
		Handler: func(ctx context.Context) error {
			if _, ok := interceptor.CallFrom(ctx); !ok {
				return errors.New("no call")
			}
			return nil
		},
	}
	interceptortest.Each(t, []interceptor.Hook{hook}, request, func(t *testing.T, got interceptortest.Result) {
		if got.Err != nil || !slices.Equal(seen, []string{"one", "two"}) || got.Header.Get("X-Handler") != "set" {
			t.Errorf("error %v, X-Many %q, headers %v", got.Err, seen, got.Header)
		}
		if got.Call.Transport() == interceptor.GRPC && got.Trailer.Get("X-Trailer") != "hook" {
			t.Errorf("trailers %v", got.Trailer)
		}
		if want := []string{"BeforeRequest reads", "handler"}; !slices.Equal(got.Trace, want) {
			t.Errorf("trace %q, want %q", got.Trace, want)
		}
		seen = nil
	})
}

// The trace shows what the stack calls, also of hooks in When and with As, and in
// the order of the call.
func TestEachTracesEveryPhase(t *testing.T) {
	t.Parallel()
	var ignored []string
	all := interceptor.SelectFunc("all", func(*interceptor.Method) bool { return true })
	hooks := []interceptor.Hook{
		interceptor.As("base", interceptor.Base{}),
		interceptor.When(all, phases("inner", &ignored, nil)),
		interceptor.NotUsed("nothing to do"),
	}
	failing := interceptortest.Request{Handler: func(context.Context) error { return errTest }}
	interceptortest.Each(t, hooks, failing, func(t *testing.T, got interceptortest.Result) {
		want := []string{"BeforeRequest base", "BeforeHandler base", "BeforeRequest inner", "BeforeHandler inner",
			"OnReceive inner", "WrapHandler inner", "handler", "OnError inner", "OnError base", "BeforeResponse inner",
			"AfterResponse inner", "AfterResponse base"}
		switch m := got.Call.Method(); {
		case m.Descriptor() == nil:
			want = slices.DeleteFunc(want, func(s string) bool { return s == "OnReceive inner" })
		case m.Kind() != interceptor.Unary: // messages flow inside the wrapped handler
			want[4], want[5] = want[5], want[4]
		}
		if !slices.Equal(got.Trace, want) {
			t.Errorf("trace\n got %q\nwant %q", got.Trace, want)
		}
		if got.Code != codes.NotFound {
			t.Errorf("code %v", got.Code)
		}
	})
}

func TestEachReportsPanics(t *testing.T) {
	t.Parallel()
	request := interceptortest.Request{Handler: func(context.Context) error { panic("confidential") }}
	interceptortest.Each(t, nil, request, func(t *testing.T, got interceptortest.Result) {
		var p *interceptor.PanicError
		if len(got.Reports) != 1 || !errors.As(got.Reports[0], &p) || got.Code != codes.Internal || strings.Contains(got.Body, "confidential") {
			t.Errorf("reports %v, code %v, body %q", got.Reports, got.Code, got.Body)
		}
	})
}

func TestEachTimesOut(t *testing.T) {
	t.Parallel()
	request := interceptortest.Request{Timeout: 20 * time.Millisecond, Handler: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	interceptortest.Each(t, nil, request, func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.DeadlineExceeded || got.Err == nil || got.HTTPStatus != 0 {
			t.Errorf("code %v, error %v, HTTP status %d", got.Code, got.Err, got.HTTPStatus)
		}
	})
}

func TestTransportsAreNamed(t *testing.T) {
	t.Parallel()
	var names []string
	interceptortest.Each(t, nil, interceptortest.Request{}, func(t *testing.T, got interceptortest.Result) {
		if !strings.HasSuffix(t.Name(), "/"+got.Transport) {
			t.Errorf("%s is in the subtest %s", got.Transport, t.Name())
		}
		names = append(names, got.Transport)
	})
	if !slices.Equal(names, interceptortest.Transports()) {
		t.Errorf("Each ran %q, Transports are %q", names, interceptortest.Transports())
	}
}
