package interceptor_test

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// TestResponseHeaders: what the operations leave, as Values tells it and as the
// adapter reads it.
func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(h interceptor.ResponseHeader)
		want []string
	}{
		{"set", func(h interceptor.ResponseHeader) { _, _ = h.Set("K", "1"), h.Set("k", "2") }, []string{"2"}},
		{"add", func(h interceptor.ResponseHeader) { _, _ = h.Add("K", "1"), h.Add("k", "2") }, []string{"1", "2"}},
		{"default", func(h interceptor.ResponseHeader) { _, _ = h.SetDefault("K", "1"), h.SetDefault("k", "2") }, []string{"1"}},
		{"default after set", func(h interceptor.ResponseHeader) { _, _ = h.Set("K", "1"), h.SetDefault("k", "2") }, []string{"1"}},
		{"deleted", func(h interceptor.ResponseHeader) { _, _, _ = h.Set("K", "1"), h.Set("other", "x"), h.Del("k") }, nil},
	}
	for _, test := range tests {
		for _, trailer := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				stack, _ := build(t)
				c := new(callT)
				ops.Begin(c, stack, t.Context(), &wire{kind: driver.HTTP})
				h, read := c.ResponseHeader(), ops.Headers
				if trailer {
					h, read = c.ResponseTrailer(), ops.Trailers
				}
				test.do(h)
				if got := h.Values("K"); !slices.Equal(got, test.want) {
					t.Errorf("values %v, want %v", got, test.want)
				}
				if len(read(c)) < 2 {
					t.Errorf("the adapter sees %v", read(c))
				}
			})
		}
	}
	stack, _ := build(t)
	c := new(callT)
	ops.Begin(c, stack, t.Context(), &wire{kind: driver.HTTP})
	_, _ = c.ResponseHeader().Set("Vary", "A"), c.ResponseHeader().SetDefault("vary", "B")
	if got := c.ResponseHeader().Values("Vary"); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("Vary is %v, want both", got)
	}
}

// TestHeadersAfterCommit: never dropped in silence (rule 11). Trailers go on until
// the call ends.
func TestHeadersAfterCommit(t *testing.T) {
	t.Parallel()
	stack, _ := build(t)
	c := new(callT)
	ops.Begin(c, stack, t.Context(), &wire{kind: driver.GRPC})
	ops.Commit(c)
	h := c.ResponseHeader()
	for _, err := range []error{h.Set("A", ""), h.Add("A", ""), h.SetDefault("A", ""), h.Del("A")} {
		if !errors.Is(err, interceptor.ErrCommitted) {
			t.Errorf("got %v, want ErrCommitted", err)
		}
	}
	if err := c.ResponseTrailer().Set("A", "1"); err != nil || !c.Committed() {
		t.Errorf("trailer: %v, committed %v", err, c.Committed())
	}
	ops.End(c, 0)
	if err := c.ResponseTrailer().Set("A", "2"); !errors.Is(err, interceptor.ErrCommitted) || len(ops.Trailers(c)) != 1 {
		t.Errorf("trailer after the end: %v, %v", err, ops.Trailers(c))
	}
}

// TestHeadersSurviveFailure: what was set early goes out with the error.
func TestHeadersSurviveFailure(t *testing.T) {
	t.Parallel()
	stack, _ := build(t,
		interceptor.FromFuncs("id", funcsT{BeforeRequest: func(ctx ctxT, c *callT) (ctxT, error) { return ctx, c.ResponseHeader().Set("X-Id", "7") }}),
		interceptor.FromFuncs("deny", funcsT{BeforeRequest: func(ctxT, *callT) (ctxT, error) { return nil, errDenied }}))
	if o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run(); !slices.Equal(o.call.ResponseHeader().Values("x-id"), []string{"7"}) {
		t.Errorf("headers %v", ops.Headers(o.call))
	}
}

// TestHeaderThatTheWireRefuses is not recorded.
func TestHeaderThatTheWireRefuses(t *testing.T) {
	t.Parallel()
	var got error
	stack, _ := build(t, interceptor.FromFuncs("h", funcsT{BeforeRequest: func(ctx ctxT, c *callT) (ctxT, error) {
		got = c.ResponseHeader().Set("A", "1")
		return ctx, nil
	}}))
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary), refuse: interceptor.ErrCommitted}).run()
	if !errors.Is(got, interceptor.ErrCommitted) || len(ops.Headers(o.call)) != 0 {
		t.Errorf("got %v and %v, want the wire's error and nothing recorded", got, ops.Headers(o.call))
	}
}

// TestRequestHeader reads all values without regard to case, and hides what was
// deleted.
func TestRequestHeader(t *testing.T) {
	t.Parallel()
	stack, _ := build(t)
	w := &wire{kind: driver.HTTP, request: map[string][]string{"Cookie": {"a", "b"}}}
	c := new(callT)
	ops.Begin(c, stack, t.Context(), w)
	h := c.RequestHeader()
	if h.Get("cookie") != "a" || len(h.Values("COOKIE")) != 2 || h.Get("none") != "" {
		t.Errorf("got %v", h.Values("cookie"))
	}
	if h.Del("cookie"); len(w.request) != 0 {
		t.Error("not deleted")
	}
}

// FuzzResponseHeader: whatever is accepted is a field that HTTP can carry.
func FuzzResponseHeader(f *testing.F) {
	for _, seed := range [][2]string{{"X-A", "b"}, {"", ""}, {"a b", "c"}, {":status", "200"}, {"k", "a\r\nb: c"}, {"k", "\x7f"}, {"k", "é"}, {"Ä", "x"}, {"k", "a\tb"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		c := new(callT)
		err := c.ResponseHeader().Set(key, value)
		ok := key != ""
		for _, b := range []byte(key) {
			ok = ok && b > ' ' && b < 0x7f && !slices.Contains([]byte("\"(),/:;<=>?@[\\]{}"), b)
		}
		for _, b := range []byte(value) {
			ok = ok && (b >= ' ' || b == '\t') && b != 0x7f
		}
		if (err == nil) != ok {
			t.Errorf("Set(%q, %q) gave %v, want accepted: %v", key, value, err, ok)
		}
		if err != nil && interceptor.StatusOf(err).Code() != codes.Internal {
			t.Errorf("refused with %v", interceptor.StatusOf(err))
		}
	})
}
