package httpadapter_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// TestRemoteAddr compares the text of the other end's address with the address.
func TestRemoteAddr(t *testing.T) {
	t.Parallel()
	unix := &net.UnixAddr{Net: "unix", Name: "/run/own.sock"}
	for _, tt := range []struct {
		remote string
		local  net.Addr
		want   string
	}{
		{remote: "192.0.2.1:4711", want: "192.0.2.1:4711"},
		{remote: "[2001:db8::1]:4711", want: "[2001:db8::1]:4711"},
		{remote: "[::ffff:192.0.2.1]:4711", want: "192.0.2.1:4711"},
		{remote: "192.0.2.1:4711", local: &net.TCPAddr{}, want: "192.0.2.1:4711"},
		{remote: "192.0.2.1:4711", local: unix, want: ""}, // a name that its client chose
		{remote: "@", local: unix, want: ""},
		{remote: "proxy", want: ""},
		{remote: "", want: ""},
	} {
		var got string
		stack := interceptor.MustNew(interceptor.FromFuncs("look", interceptor.Funcs{
			AfterResponse: func(_ context.Context, call *interceptor.Call) { got = call.RemoteAddr() },
		}))
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = tt.remote
		if tt.local != nil {
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, tt.local))
		}
		httpadapter.Wrap(stack, http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
		if got != tt.want {
			t.Errorf("RemoteAddr is %q for %q (local %v), want %q", got, tt.remote, tt.local, tt.want)
		}
	}
}
