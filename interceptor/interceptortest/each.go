package interceptortest

import (
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Each sends one call through the hooks on every transport, each with a server
// and a client of its own over a loopback socket, and hands what became of it to
// check, in a subtest named by the transport. The subtests run one after another
// and share the hooks, as the servers of a program do.
//
// A list of hooks that [interceptor.New] refuses, and a server that refuses to
// start with them, fail the test.
func Each(t *testing.T, hooks []interceptor.Hook, request Request, check func(t *testing.T, got Result)) {
	t.Helper()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Helper()
			o, err := trial{
				hooks:     hooks,
				observe:   true,
				authority: request.Authority,
				do:        request.handle,
				calls:     once(request.exchange()),
			}.run(t.Context(), w)
			if err != nil {
				t.Fatal(err)
			}
			check(t, o.result())
		})
	}
}
