package authn_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// wire is an adapter's half of a call that has request headers and nothing else.
type wire struct {
	driver.Transport
	request http.Header
	tls     *tls.ConnectionState
}

func (w *wire) Kind() driver.Kind                       { return driver.HTTP }
func (w *wire) HeaderChanged(driver.Header, bool) error { return nil }

func (w *wire) Peer() driver.Peer { return driver.Peer{TLS: w.tls} }

func (w *wire) RequestHeader(key string) []string {
	for k, values := range w.request {
		if strings.EqualFold(k, key) {
			return values
		}
	}
	return nil
}

var (
	unary  = interceptortest.NewMethod(pb.ConformanceService_Unary_FullMethodName)
	stream = interceptortest.NewMethod(pb.ConformanceService_ServerStream_FullMethodName)
	route  = interceptortest.NewMethod("GET /events")
)

// admit begins a call with these headers and resolves its method. The call is
// ended with the test.
func admit(t testing.TB, stack *interceptor.Stack, method *interceptor.Method, header http.Header) *interceptor.Call {
	t.Helper()
	return admitIn(t.Context(), t, stack, method, header)
}

func admitIn(ctx context.Context, t testing.TB, stack *interceptor.Stack, method *interceptor.Method, header http.Header) *interceptor.Call {
	t.Helper()
	return admitOver(ctx, t, stack, method, &wire{request: header})
}

func admitOver(ctx context.Context, t testing.TB, stack *interceptor.Stack, method *interceptor.Method, w *wire) *interceptor.Call {
	t.Helper()
	c := new(interceptor.Call)
	ops.Begin(c, stack, ctx, w)
	if ops.Request(c) {
		ops.Resolve(c, method, "")
	}
	t.Cleanup(func() { ops.End(c, 0) })
	return c
}

// quiet is a stack that reports to nobody.
func quiet(hooks ...interceptor.Hook) *interceptor.Stack {
	return interceptor.MustNew(hooks...).ReportTo(nil)
}

func bearing(values ...string) http.Header { return http.Header{"Authorization": values} }
