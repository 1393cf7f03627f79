package requestid_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

func header(values ...string) http.Header {
	return http.Header{requestid.DefaultHeader: values}
}

func TestInboundID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []string
		keep   bool
	}{
		{"uuid", []string{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, true},
		{"ulid", []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV"}, true},
		{"load balancer's trace id", []string{"Root=1-5759e988-bd862e3fe1be46a994272793"}, true},
		{"one character", []string{"0"}, true},
		{"longest", []string{strings.Repeat("a", requestid.MaxLen)}, true},
		{"none", nil, false},
		{"empty", []string{""}, false},
		{"too long", []string{strings.Repeat("a", requestid.MaxLen+1)}, false},
		{"two values", []string{"one", "two"}, false},
		{"the same value twice", []string{"one", "one"}, false},
		{"joined by a comma", []string{"one,two"}, false},
		{"blank inside", []string{"a b"}, false},
		{"trailing blank", []string{"a "}, false},
		{"line break", []string{"a\r\nb"}, false},
		{"NUL", []string{"a\x00b"}, false},
		{"terminal escape", []string{"a\x1b[31m"}, false},
		{"quote", []string{`a"b`}, false},
		{"slash", []string{"a/b"}, false},
		{"parent folder", []string{"..a"}, false},
		{"spreadsheet formula", []string{"=cmd()"}, false},
		{"begins with a dash", []string{"-rf"}, false},
		{"not ASCII", []string{"ä"}, false},
		{"invalid UTF-8", []string{"a\xff"}, false},
		{"bidi override", []string{"a\u202eb"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := call(t, header(tt.values...), requestid.New())
			got, ok := requestid.Key.Get(c)
			if !ok || !requestid.Valid(got) {
				t.Fatalf("id %q, set %v; want a valid one on every call", got, ok)
			}
			if kept := len(tt.values) > 0 && got == tt.values[0]; kept != tt.keep {
				t.Errorf("id %q for %q: kept %v, want %v", got, tt.values, kept, tt.keep)
			}
			if echoed := c.ResponseHeader().Values(requestid.DefaultHeader); len(echoed) != 1 || echoed[0] != got {
				t.Errorf("response header %q, want the id %q once", echoed, got)
			}
		})
	}
}

func TestOverGRPC(t *testing.T) {
	t.Parallel()
	for _, name := range []string{requestid.DefaultHeader, "x-Correlation-ID"} {
		key := strings.ToLower(name)
		c := callOn(t, &wire{kind: driver.GRPC, request: http.Header{key: {"sent"}}}, requestid.New(requestid.Header(name)))
		if id, _ := requestid.Key.Get(c); id != "sent" {
			t.Errorf("id %q; want that of the metadata %s", id, key)
		}
		if got := c.ResponseHeader().Values(key); len(got) != 1 || got[0] != "sent" {
			t.Errorf("%s in the answer: %q; want the id once", key, got)
		}
	}
}

func TestAllocations(t *testing.T) {
	w := &wire{kind: driver.HTTP, request: header("sent")}
	run := func(hooks ...interceptor.Hook) float64 {
		stack := interceptor.MustNew(hooks...)
		return testing.AllocsPerRun(1000, func() {
			c := new(interceptor.Call)
			ops.Begin(c, stack, t.Context(), w)
			ops.Request(c)
			ops.End(c, 0)
		})
	}
	if n := run(requestid.New()) - run(); n > 3 {
		t.Errorf("keeping an id takes %v allocations, want at most 3", n)
	}
}

func TestGeneratedIDsDiffer(t *testing.T) {
	t.Parallel()
	hook := requestid.New()
	seen := map[string]bool{}
	for range 1000 {
		id, _ := requestid.Key.Get(call(t, nil, hook))
		if len(id) < 20 {
			t.Fatalf("id %q is too short to be unique", id)
		}
		if seen[id] {
			t.Fatalf("id %q was made twice", id)
		}
		seen[id] = true
	}
}

func TestIgnoreInbound(t *testing.T) {
	t.Parallel()
	id, _ := requestid.Key.Get(call(t, header("mine"), requestid.New(requestid.IgnoreInbound())))
	if id == "mine" || !requestid.Valid(id) {
		t.Errorf("id %q; want one of our own", id)
	}
}

func TestHeaderOption(t *testing.T) {
	t.Parallel()
	h := header("default")
	h.Set("X-Correlation-Id", "other")
	c := call(t, h, requestid.New(requestid.Header("X-Correlation-Id")))
	if id, _ := requestid.Key.Get(c); id != "other" {
		t.Errorf("id %q; want that of the header that was named", id)
	}
	if got := c.ResponseHeader().Values("x-correlation-id"); len(got) != 1 || got[0] != "other" {
		t.Errorf("X-Correlation-Id %q; want the id", got)
	}
	if got := c.ResponseHeader().Values(requestid.DefaultHeader); len(got) != 0 {
		t.Errorf("%s %q; want none when another header is named", requestid.DefaultHeader, got)
	}
}

func TestGenerator(t *testing.T) {
	t.Parallel()
	hook := requestid.New(requestid.Generator(func() string { return "made" }))
	if id, _ := requestid.Key.Get(call(t, nil, hook)); id != "made" {
		t.Errorf("id %q; want the generator's", id)
	}
	if id, _ := requestid.Key.Get(call(t, header("sent"), hook)); id != "sent" {
		t.Errorf("id %q; want the client's, which the generator does not replace", id)
	}
}

func TestBadGeneratorFailsTheCall(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "a b", "a\r\nSet-Cookie: x=y", strings.Repeat("x", 1000)} {
		c := call(t, nil, requestid.New(requestid.Generator(func() string { return bad })))
		if c.Code() != codes.Internal || interceptor.StatusOf(c.Err()).Message() != "internal error" {
			t.Errorf("%q: %v; want Internal with a bland text", bad, interceptor.StatusOf(c.Err()))
		}
		if err := c.Err(); err == nil || !strings.Contains(err.Error(), "requestid: the function given to Generator") || len(err.Error()) > 500 {
			t.Errorf("%q: error %.600v; want a short text that names Generator", bad, err)
		}
		if got := c.ResponseHeader().Values(requestid.DefaultHeader); len(got) != 0 {
			t.Errorf("response header %q; want none", got)
		}
	}
}

func TestIDIsOnRefusals(t *testing.T) {
	t.Parallel()
	refuse := interceptor.FromFuncs("refuse", interceptor.Funcs{
		BeforeRequest: func(context.Context, *interceptor.Call) (context.Context, error) { return nil, errors.New("no") },
	})
	c := call(t, header("sent"), requestid.New(), refuse)
	if c.Err() == nil {
		t.Fatal("the call was not refused")
	}
	if got := c.ResponseHeader().Values(requestid.DefaultHeader); len(got) != 1 || got[0] != "sent" {
		t.Errorf("response header of a refusal: %q; want the id", got)
	}
}

func TestConstructionPanics(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		make       func()
	}{
		{"no header", "requestid.Header", func() { requestid.Header("") }},
		{"header with a blank", "requestid.Header", func() { requestid.Header("X Request") }},
		{"header with a line break", "requestid.Header", func() { requestid.Header("X\r\nY") }},
		{"pseudo header", "requestid.Header", func() { requestid.Header(":path") }},
		{"reserved for gRPC", "requestid.Header", func() { requestid.Header("Grpc-Id") }},
		{"binary metadata", "requestid.Header", func() { requestid.Header("Id-Bin") }},
		{"no generator", "requestid.Generator", func() { requestid.Generator(nil) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, tt.want) {
					t.Errorf("panicked with %q; want a text that names %s", text, tt.want)
				}
			}()
			tt.make()
		})
	}
}

func TestHookFacts(t *testing.T) {
	t.Parallel()
	h := requestid.New()
	if n, ok := h.(interceptor.Named); !ok || n.Name() != "requestid" {
		t.Error("the hook's name is not requestid")
	}
	if p, ok := h.(interceptor.Provider); !ok || len(p.Provides()) != 1 || p.Provides()[0] != interceptor.AnyKey(requestid.Key) {
		t.Error("the hook does not provide Key")
	}
	if _, ok := h.(interceptor.MessageHook); ok {
		t.Error("the hook is a MessageHook, which costs every call")
	}
}

// FuzzInbound checks that whatever a client sends, the id in the call is valid,
// is the one in the response, and is the client's exactly if that one is valid.
func FuzzInbound(f *testing.F) {
	for _, seed := range []string{"", "a", "-", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "a,b", "a\r\nb", "..", "ä", strings.Repeat("z", 129)} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	hook := requestid.New()
	f.Fuzz(func(t *testing.T, sent string, twice bool) {
		values := []string{sent}
		if twice {
			values = append(values, sent)
		}
		c := call(t, header(values...), hook)
		id, _ := requestid.Key.Get(c)
		if !requestid.Valid(id) || strings.ContainsAny(id, " \t\r\n\x00,;\"'/\\<>") {
			t.Fatalf("id %q", id)
		}
		if echoed := c.ResponseHeader().Values(requestid.DefaultHeader); len(echoed) != 1 || echoed[0] != id {
			t.Fatalf("echoed %q, id %q", echoed, id)
		}
		if want := requestid.Valid(sent) && !twice; want != (id == sent) {
			t.Fatalf("sent %q (twice: %v), id %q", sent, twice, id)
		}
	})
}
