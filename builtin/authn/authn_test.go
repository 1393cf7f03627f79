package authn_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
)

var tokens = authn.StaticTokens(map[string]string{
	"T_reader":                "alice",
	"T_admin":                 "root",
	strings.Repeat("x", 8192): "longest",
	"padded==":                "padding",
})

func TestGoodCredentials(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, value, subject string }{
		{"as in the RFC", "Bearer T_reader", "alice"},
		{"another one", "Bearer T_admin", "root"},
		{"scheme in mixed case", "bEaReR T_reader", "alice"},
		{"several blanks, as the grammar allows", "Bearer   T_reader", "alice"},
		{"padding", "Bearer padded==", "padding"},
		{"longest", "Bearer " + strings.Repeat("x", authn.MaxCredential), "longest"},
	}
	stack := quiet(authn.New(authn.Bearer(tokens)))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := admit(t, stack, unary, bearing(tt.value))
			if c.Err() != nil {
				t.Fatalf("refused: %v", c.Err())
			}
			p, ok := authn.From(ops.Inner(c))
			if !ok || p.Subject() != tt.subject || p.Scheme() != "bearer" {
				t.Errorf("principal %v; want %s by scheme bearer", p, tt.subject)
			}
			if c.Denied() {
				t.Error("an admitted call is Denied")
			}
		})
	}
}

// hostile are the Authorization values that must all be refused, with the reason
// that operators get.
var hostile = []struct {
	name   string
	values []string
	reason string
}{
	{"no credential", nil, "no credential"},
	{"empty value", []string{""}, "no credential"},
	{"two values", []string{"Bearer T_reader", "Bearer T_admin"}, "more than one"},
	{"two values in the other order", []string{"Bearer T_admin", "Bearer T_reader"}, "more than one"},
	{"two equal values", []string{"Bearer T_reader", "Bearer T_reader"}, "more than one"},
	{"a good value and an empty one", []string{"Bearer T_reader", ""}, "more than one"},
	{"joined by a comma", []string{"Bearer T_reader, Bearer T_admin"}, "not one scheme"},
	{"joined by a comma without a blank", []string{"Bearer T_reader,T_admin"}, "not one scheme"},
	{"no scheme", []string{"T_reader"}, "not one scheme"},
	{"scheme alone", []string{"Bearer"}, "not one scheme"},
	{"scheme and a blank", []string{"Bearer "}, "not one scheme"},
	{"scheme and blanks", []string{"Bearer    "}, "not one scheme"},
	{"leading blank", []string{" Bearer T_reader"}, "not one scheme"},
	{"trailing blank", []string{"Bearer T_reader "}, "not one scheme"},
	{"tab for a blank", []string{"Bearer\tT_reader"}, "not one scheme"},
	{"tab after the blank", []string{"Bearer \tT_reader"}, "not one scheme"},
	{"two tokens", []string{"Bearer T_reader T_admin"}, "not one scheme"},
	{"parameters", []string{`Bearer token="T_reader"`}, "not one scheme"},
	{"quoted", []string{`Bearer "T_reader"`}, "not one scheme"},
	{"padding alone", []string{"Bearer =="}, "not one scheme"},
	{"padding inside", []string{"Bearer T=reader"}, "not one scheme"},
	{"line break", []string{"Bearer T_reader\r\nX: y"}, "not one scheme"},
	{"NUL", []string{"Bearer T_reader\x00"}, "not one scheme"},
	{"not ASCII", []string{"Bearer T_re\u0430der"}, "not one scheme"},
	{"long s in the scheme folds to ASCII s", []string{"Ba\u017fic T_reader"}, "not one scheme"},
	{"no-break space", []string{"Bearer\u00a0T_reader"}, "not one scheme"},
	{"wrong scheme", []string{"Basic VF9yZWFkZXI="}, "not accepted here"},
	{"scheme that begins alike", []string{"BearerX T_reader"}, "not accepted here"},
	{"scheme that ends early", []string{"Bear T_reader"}, "not accepted here"},
	{"unknown token", []string{"Bearer T_nobody"}, "not one of those"},
	{"token in another case", []string{"Bearer t_reader"}, "not one of those"},
	{"token cut short", []string{"Bearer T_reade"}, "not one of those"},
	{"token with one more character", []string{"Bearer T_readerx"}, "not one of those"},
	{"one byte too long", []string{"Bearer " + strings.Repeat("x", authn.MaxCredential+1)}, "longer than 8 KiB"},
	{"a megabyte of dots", []string{"Bearer " + strings.Repeat(".", 1<<20)}, "longer than 8 KiB"},
	{"a megabyte of scheme", []string{strings.Repeat("B", 1<<20)}, "not one scheme"},
}

func TestHostileCredentials(t *testing.T) {
	t.Parallel()
	stack := quiet(authn.New(authn.Bearer(tokens)))
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []*interceptor.Method{unary, stream, route} {
				c := admit(t, stack, method, bearing(tt.values...))
				checkRefusal(t, c, "Bearer")
				if _, ok := authn.From(ops.Inner(c)); ok {
					t.Error("a refused call has a principal")
				}
				if !strings.Contains(c.Err().Error(), tt.reason) {
					t.Errorf("operators get %q; want the reason %q", c.Err(), tt.reason)
				}
				if len(tt.values) > 0 && strings.Contains(c.Err().Error(), "T_") {
					t.Errorf("the error %q repeats the credential", c.Err())
				}
			}
		})
	}
}

// checkRefusal checks what clients see: the same for every reason.
func checkRefusal(t *testing.T, c *interceptor.Call, challenges ...string) {
	t.Helper()
	st := interceptor.StatusOf(c.Err())
	if st.Code() != codes.Unauthenticated || st.Message() != "a valid credential is required" || len(st.Details()) > 0 {
		t.Errorf("answered %v; want Unauthenticated with the fixed text", st)
	}
	if got := interceptor.HTTPStatusOf(c.Err()); got != http.StatusUnauthorized {
		t.Errorf("HTTP status %d, want 401", got)
	}
	got := c.ResponseHeader().Values("WWW-Authenticate")
	if strings.Join(got, "|") != strings.Join(challenges, "|") {
		t.Errorf("WWW-Authenticate %q, want %q", got, challenges)
	}
	if !c.Denied() {
		t.Error("a refused call is not Denied")
	}
}

func TestOnlyTheAuthorizationHeaderCounts(t *testing.T) {
	t.Parallel()
	stack := quiet(authn.New(authn.Bearer(tokens)))
	for _, key := range []string{"Authorization-Bin", "Grpc-Metadata-Authorization", "Proxy-Authorization", "X-Authorization", "Access_token", "Cookie"} {
		c := admit(t, stack, unary, http.Header{http.CanonicalHeaderKey(key): {"Bearer T_reader"}})
		if c.Err() == nil {
			t.Errorf("a credential in %s was accepted", key)
		}
		checkRefusal(t, c, "Bearer")
	}
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	keys := authn.StaticTokens(map[string]string{"K": "robot", "T_reader": "thief"})
	stack := quiet(authn.New(authn.Bearer(tokens), authn.Authorization("ApiKey", keys)))
	tests := []struct{ value, subject, scheme string }{
		{"Bearer T_reader", "alice", "bearer"},
		{"apikey K", "robot", "apikey"},
		{"ApiKey T_reader", "thief", "apikey"},
	}
	for _, tt := range tests {
		c := admit(t, stack, unary, bearing(tt.value))
		if p, _ := authn.Key.Get(c); p.Subject() != tt.subject || p.Scheme() != tt.scheme {
			t.Errorf("%s: %v; want %s by %s", tt.value, p, tt.subject, tt.scheme)
		}
	}
	for _, values := range [][]string{{"Bearer K"}, {"Bearer T_reader", "ApiKey K"}, {"Basic K"}} {
		checkRefusal(t, admit(t, stack, unary, bearing(values...)), "Bearer", "ApiKey")
	}
}

func TestVerifierOutcomes(t *testing.T) {
	t.Parallel()
	unavailable := status.Error(codes.Unavailable, "dial tcp 10.1.2.3:443: refused")
	tests := []struct {
		name string
		p    *authn.Principal
		err  error
		want codes.Code
		text string
	}{
		{"nobody and no error", nil, nil, codes.Unauthenticated, "a valid credential is required"},
		{"a principal without a subject", authn.NewPrincipal(""), nil, codes.Unauthenticated, "a valid credential is required"},
		{"a principal and an error", authn.NewPrincipal("alice"), errors.New("bad signature"), codes.Unauthenticated, "a valid credential is required"},
		{"untyped error", nil, errors.New("bad signature"), codes.Unauthenticated, "a valid credential is required"},
		{"unavailable", nil, unavailable, codes.Unavailable, "the credential cannot be checked at the moment; try again later"},
		{"too busy", nil, status.Error(codes.ResourceExhausted, "pool of 10.1.2.3"), codes.ResourceExhausted, "too many credentials are being checked at the moment; try again later"},
		{"wrapped unavailable", nil, errors.Join(errors.New("introspection"), unavailable), codes.Unavailable, "the credential cannot be checked at the moment; try again later"},
		{"its own timeout", nil, context.DeadlineExceeded, codes.Unavailable, "the credential cannot be checked at the moment; try again later"},
		{"permission denied", nil, status.Error(codes.PermissionDenied, "no"), codes.Unauthenticated, "a valid credential is required"},
		{"an error that says OK", nil, status.ErrorProto(nil), codes.Unauthenticated, "a valid credential is required"},
		{"internal", nil, status.Error(codes.Internal, "boom"), codes.Unauthenticated, "a valid credential is required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := authn.VerifierFunc(func(context.Context, string) (*authn.Principal, error) { return tt.p, tt.err })
			c := admit(t, quiet(authn.New(authn.Bearer(v))), unary, bearing("Bearer x"))
			if tt.p == nil && tt.err == nil || tt.want == codes.Unauthenticated {
				checkRefusal(t, c, "Bearer")
			}
			st := interceptor.StatusOf(c.Err())
			if st.Code() != tt.want || st.Message() != tt.text {
				t.Errorf("answered %v; want %v %q", st, tt.want, tt.text)
			}
			if tt.err != nil && !errors.Is(c.Err(), tt.err) {
				t.Errorf("the cause of %v is lost: %v", tt.err, c.Err())
			}
			if _, ok := authn.Key.Get(c); ok {
				t.Error("a refused call has a principal")
			}
		})
	}
}

func TestVerifierSeesTheCallEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	v := authn.VerifierFunc(func(ctx context.Context, _ string) (*authn.Principal, error) {
		cancel()
		<-ctx.Done()
		return nil, errors.New("interrupted")
	})
	c := admitIn(ctx, t, quiet(authn.New(authn.Bearer(v))), unary, bearing("Bearer x"))
	if c.Code() != codes.Canceled || !c.Denied() {
		t.Errorf("code %v, denied %v; want Canceled, true: the caller left before anything was decided", c.Code(), c.Denied())
	}
}

func TestPrincipalIsNotTakenFromOuterHooks(t *testing.T) {
	t.Parallel()
	forge := interceptor.FromFuncs("forge", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
			authn.Key.Set(c, authn.NewPrincipal("mallory"))
			return ctx, nil
		},
	})
	c := admit(t, quiet(forge, authn.New(authn.Bearer(tokens))), unary, nil)
	checkRefusal(t, c, "Bearer")
}

func TestConstructionPanics(t *testing.T) {
	t.Parallel()
	bearer := authn.Bearer(tokens)
	tests := []struct {
		name, want string
		make       func()
	}{
		{"no scheme", "authn.New()", func() { authn.New() }},
		{"zero scheme", "scheme 2", func() { authn.New(bearer, authn.Scheme{}) }},
		{"one scheme twice", `"bearer"`, func() { authn.New(bearer, authn.Authorization("BEARER", tokens)) }},
		{"nil verifier", "verifier of scheme Bearer", func() { authn.Bearer(nil) }},
		{"nil func", "verifier of scheme Bearer", func() { authn.Bearer(authn.VerifierFunc(nil)) }},
		{"empty name", "authn.Authorization", func() { authn.Authorization("", tokens) }},
		{"name with a comma", "authn.Authorization", func() { authn.Authorization("a,b", tokens) }},
		{"one scheme name in two places", `"bearer"`, func() { authn.New(bearer, authn.Header("Bearer", "X-Token", tokens)) }},
		{"one header twice", "schemes a and b are both read from header x-token", func() {
			authn.New(authn.Header("a", "X-Token", tokens), authn.Header("b", "x-token", tokens))
		}},
		{"certificates twice", "both read from the client certificate", func() {
			authn.New(authn.Certificate("a", knows), authn.Certificate("b", knows))
		}},
		{"header scheme without a verifier", "verifier of scheme ApiKey", func() { authn.Header("ApiKey", "X-Api-Key", nil) }},
		{"header scheme without a name", "authn.Header", func() { authn.Header("", "X-Api-Key", tokens) }},
		{"header Authorization", "no other meaning", func() { authn.Header("ApiKey", "authorization", tokens) }},
		{"header Cookie", "no other meaning", func() { authn.Header("ApiKey", "cookie", tokens) }},
		{"binary header", "no other meaning", func() { authn.Header("ApiKey", "X-Key-Bin", tokens) }},
		{"header of gRPC", "no other meaning", func() { authn.Header("ApiKey", "Grpc-Metadata-Key", tokens) }},
		{"header with a blank", "no other meaning", func() { authn.Header("ApiKey", "x key", tokens) }},
		{"no header", "no other meaning", func() { authn.Header("ApiKey", "", tokens) }},
		{"certificate scheme without a name", "authn.Certificate", func() { authn.Certificate("", knows) }},
		{"certificate scheme without a verifier", "the verifier is nil", func() { authn.Certificate("mTLS", nil) }},
		{"parameter that is no word", "authn.Parameter", func() { authn.Parameter("a b", "c") }},
		{"parameter with a line break", "authn.Parameter", func() { authn.Parameter("realm", "c\r\n") }},
		{"a token that yields", "authn.YieldToOthers", func() { authn.Bearer(tokens, authn.YieldToOthers()) }},
		{"no tokens", "authn.StaticTokens", func() { authn.StaticTokens(nil) }},
		{"empty token", `token of "alice"`, func() { authn.StaticTokens(map[string]string{"": "alice"}) }},
		{"token with a blank", `token of "alice"`, func() { authn.StaticTokens(map[string]string{"s3cret s3cret": "alice"}) }},
		{"token too long", `token of "alice"`, func() { authn.StaticTokens(map[string]string{strings.Repeat("a", 8193): "alice"}) }},
		{"empty subject", "empty subject", func() { authn.StaticTokens(map[string]string{"s3cret": ""}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				text, ok := recover().(string)
				if !ok || !strings.Contains(text, tt.want) {
					t.Errorf("panicked with %q; want a text with %s", text, tt.want)
				}
				if strings.Contains(text, "s3cret") {
					t.Errorf("the panic %q repeats a token", text)
				}
			}()
			tt.make()
		})
	}
}

func TestStaticTokensCopiesTheMap(t *testing.T) {
	t.Parallel()
	m := map[string]string{"a": "alice"}
	v := authn.StaticTokens(m)
	m["b"] = "bob"
	delete(m, "a")
	if p, err := v.Verify(t.Context(), "a"); err != nil || p.Subject() != "alice" {
		t.Errorf("a: %v, %v; want alice", p, err)
	}
	if p, err := v.Verify(t.Context(), "b"); err == nil || p != nil {
		t.Errorf("b: %v, %v; want an error: it was added later", p, err)
	}
}

func TestHookFacts(t *testing.T) {
	t.Parallel()
	h := authn.New(authn.Bearer(tokens))
	if n, ok := h.(interceptor.Named); !ok || n.Name() != "authn" {
		t.Error("the hook's name is not authn")
	}
	if e, ok := h.(interceptor.Enforcer); !ok || !slices.Equal(e.Enforces(), []protoreflect.FullName{"crosscut.policy.v1.Policy.access", "crosscut.policy.v1.Policy.schemes"}) {
		t.Error("the hook does not enforce access and schemes")
	}
	if _, ok := h.(interceptor.Decider); !ok {
		t.Error("the hook is not a Decider")
	}
	if p, ok := h.(interceptor.Provider); !ok || len(p.Provides()) != 1 || p.Provides()[0] != interceptor.AnyKey(authn.Key) {
		t.Error("the hook does not provide Key")
	}
}

func TestAllocations(t *testing.T) {
	stack := quiet(authn.New(authn.Bearer(tokens)))
	bare := quiet()
	refusing := interceptor.NewError(codes.Unauthenticated, "no", interceptor.WithHeader("WWW-Authenticate", "Bearer"))
	refuse := quiet(interceptor.FromFuncs("refuse", interceptor.Funcs{
		BeforeHandler: func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
			return nil, refusing
		},
	}))
	good, none := bearing("Bearer T_reader"), http.Header{}
	run := func(s *interceptor.Stack, header http.Header) float64 {
		w := &wire{request: header}
		return testing.AllocsPerRun(1000, func() {
			c := new(interceptor.Call)
			ops.Begin(c, s, t.Context(), w)
			ops.Request(c)
			ops.Resolve(c, unary, "")
			ops.End(c, 0)
		})
	}
	if n := run(stack, good) - run(bare, good); n > 2 {
		t.Errorf("authenticating by StaticTokens takes %v allocations, want at most 2", n)
	}
	behind := quiet(declared(policy.Schemes("bearer")), authn.New(everywhere()...))
	if n := run(behind, good) - run(bare, good); n > 2 {
		t.Errorf("authenticating behind a policy, with schemes of every place, takes %v allocations, want at most 2", n)
	}
	token := authn.NewPrincipal("alice", authn.WithScheme("bearer"), authn.WithExpiry(time.Now().Add(time.Hour)))
	expiring := quiet(authn.New(authn.Bearer(authn.VerifierFunc(func(context.Context, string) (*authn.Principal, error) { return token, nil }))))
	if n := run(expiring, good) - run(bare, good); n > 3 {
		t.Errorf("a principal with an expiry takes %v allocations, want at most 3", n)
	}
	if n := run(stack, none) - run(refuse, none); n > 0 {
		t.Errorf("refusing takes %v allocations more than returning a fixed error, want none", n)
	}
}
