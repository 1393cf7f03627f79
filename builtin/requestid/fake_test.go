package requestid_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// wire is an adapter's half of a call that has request headers and nothing else.
// It finds them only in the spelling of its transport, which is what is fast.
type wire struct {
	driver.Transport
	kind    driver.Kind
	request http.Header
}

func (w *wire) Kind() driver.Kind                       { return w.kind }
func (w *wire) RequestHeader(key string) []string       { return w.request[key] }
func (w *wire) HeaderChanged(driver.Header, bool) error { return nil }

// call sends an HTTP request with these headers through the hooks.
func call(t testing.TB, header http.Header, hooks ...interceptor.Hook) *interceptor.Call {
	t.Helper()
	return callOn(t, &wire{kind: driver.HTTP, request: header}, hooks...)
}

func callOn(t testing.TB, w *wire, hooks ...interceptor.Hook) *interceptor.Call {
	t.Helper()
	stack, err := interceptor.New(hooks...)
	if err != nil {
		t.Fatal(err)
	}
	c := new(interceptor.Call)
	ops.Begin(c, stack.ReportTo(nil), context.Background(), w)
	if ops.Request(c) {
		ops.Resolve(c, ops.NewRoute("GET /books"), "/books")
	}
	_, _ = ops.Respond(c, nil, ops.Failed(c))
	return c
}
