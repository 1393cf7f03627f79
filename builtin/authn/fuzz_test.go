package authn_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

// grammar is RFC 9110 section 11.4 for the scheme Bearer, said another way.
var grammar = regexp.MustCompile(`\A(?i:bearer) +([A-Za-z0-9._~+/-]+=*)\z`)

// FuzzAuthorization checks that the verifier sees a credential exactly if the
// value follows the grammar, that it sees the very bytes, and that everything
// else is refused without repeating the value.
func FuzzAuthorization(f *testing.F) {
	for _, h := range hostile {
		for _, v := range h.values {
			if len(v) < 1<<14 {
				f.Add(v)
			}
		}
	}
	f.Add("Bearer abc")
	f.Add("bearer  abc==")
	f.Fuzz(func(t *testing.T, value string) {
		var seen []string
		hook := authn.New(authn.Bearer(authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) {
			seen = append(seen, token)
			return authn.NewPrincipal("alice"), nil
		})))
		c := new(interceptor.Call)
		ops.Begin(c, interceptor.MustNew(hook), t.Context(), &wire{request: bearing(value)})
		ops.Request(c)
		admitted := ops.Resolve(c, unary, "")
		match := grammar.FindStringSubmatch(value)
		want := len(match) == 2 && len(match[1]) <= authn.MaxCredential
		if admitted != want || want != (len(seen) == 1) {
			t.Fatalf("%q: admitted %v, the verifier saw %q; want %v", value, admitted, seen, want)
		}
		if want && seen[0] != match[1] {
			t.Fatalf("%q: the verifier saw %q, want %q", value, seen[0], match[1])
		}
		if !want && (c.Code() != codes.Unauthenticated || len(value) > 12 && strings.Contains(c.Err().Error(), value)) {
			t.Fatalf("%q: refused with %v", value, c.Err())
		}
	})
}

// FuzzHidden checks that no eight characters of a credential in a row survive in
// the text of an error that quotes it anywhere.
func FuzzHidden(f *testing.F) {
	f.Add("bad token ", secret, ", try again")
	f.Add("", "abcdefgh", "")
	f.Add("x=", "a.b.c.d.e.f", "&y")
	f.Fuzz(func(t *testing.T, before, token, after string) {
		if !grammar.MatchString("Bearer "+token) || len(token) < 8 || len(token) > authn.MaxCredential {
			return
		}
		v := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) {
			return nil, boomError{before + token + after}
		})
		c := admit(t, quiet(authn.New(authn.Bearer(v))), unary, bearing("Bearer "+token))
		_, text, _ := strings.Cut(c.Err().Error(), "the verifier refused: ")
		text = strings.ReplaceAll(text, "[credential]", "")
		for i := 0; i+8 <= len(token); i++ {
			if strings.Contains(text, token[i:i+8]) {
				t.Fatalf("%q contains %q of the credential", text, token[i:i+8])
			}
		}
	})
}
