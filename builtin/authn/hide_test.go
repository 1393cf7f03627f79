package authn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

const secret = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"

// careless are ways in which verifiers put a credential into their words.
var careless = map[string]func(token string) error{
	"as it is":        func(token string) error { return errors.New("bad token " + token) },
	"quoted":          func(token string) error { return fmt.Errorf("bad token %q, try again", token) },
	"as a parameter":  func(token string) error { return errors.New("GET https://idp/introspect?token=" + token + "&x=y") },
	"only its header": func(token string) error { return errors.New("bad header " + strings.Split(token, ".")[0]) },
	"only its claims": func(token string) error { return errors.New("bad claims: " + strings.Split(token, ".")[1]) },
	"its beginning":   func(token string) error { return fmt.Errorf("bad token %.10s... and so on", token) },
	"its end":         func(token string) error { return fmt.Errorf("bad token ...%s", token[len(token)-8:]) },
	"at the very end": func(token string) error {
		return errors.New(strings.Repeat("long ", 203) + token)
	},
	"far behind": func(token string) error { return errors.New(strings.Repeat("long ", 10_000) + token) },
	"deep":       func(token string) error { return fmt.Errorf("outer: %w", errors.New("inner "+token)) },
}

func TestCredentialStaysOutOfErrors(t *testing.T) {
	t.Parallel()
	for name, fail := range careless {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) { return nil, fail(token) })
			c := admit(t, quiet(authn.New(authn.Bearer(v))), unary, bearing("Bearer "+secret))
			checkHidden(t, c.Err().Error())
			if len(c.Err().Error()) > 2048 {
				t.Errorf("the text has %d bytes; want a bounded one", len(c.Err().Error()))
			}
		})
	}
}

func TestShortCredentialStaysOutOfErrors(t *testing.T) {
	t.Parallel()
	v := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) {
		return nil, fmt.Errorf("no such token: %s", token)
	})
	c := admit(t, quiet(authn.New(authn.Bearer(v))), unary, bearing("Bearer hunt"))
	if text := c.Err().Error(); strings.Contains(text, "hunt") || !strings.Contains(text, "no such token: [credential]") {
		t.Errorf("operators get %q; want the reason without the credential", text)
	}
}

func TestReasonStaysReadable(t *testing.T) {
	t.Parallel()
	v := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) {
		return nil, fmt.Errorf("verification failed: signature of %s is invalid", token)
	})
	c := admit(t, quiet(authn.New(authn.Bearer(v))), unary, bearing("Bearer "+secret))
	if text := c.Err().Error(); !strings.Contains(text, "verification failed: signature of [credential] is invalid") {
		t.Errorf("operators get %q; want everything but the credential", text)
	}
}

func TestCredentialStaysOutOfPanics(t *testing.T) {
	t.Parallel()
	values := map[string]func(token string) any{
		"a string":     func(token string) any { return "bad token " + token },
		"an error":     func(token string) any { return boomError{token} },
		"another type": func(token string) any { return struct{ Token string }{token} },
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var reported string
			v := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) { panic(value(token)) })
			stack := quiet(authn.New(authn.Bearer(v))).ReportTo(func(_ context.Context, _ *interceptor.Call, err error) {
				reported = err.Error()
			})
			c := admit(t, stack, unary, bearing("Bearer "+secret))
			if c.Code() != codes.Internal || !c.Denied() {
				t.Errorf("code %v, denied %v; want Internal, true", c.Code(), c.Denied())
			}
			var p *interceptor.PanicError
			if !errors.As(c.Err(), &p) || !strings.Contains(string(p.Stack), "TestCredentialStaysOutOfPanics") {
				t.Error("the panic's own stack is lost")
			}
			checkHidden(t, reported)
			checkHidden(t, fmt.Sprint(p.Value))
		})
	}
}

func TestHarmlessPanicKeepsItsValue(t *testing.T) {
	t.Parallel()
	boom := boomError{"harmless"}
	v := authn.VerifierFunc(func(context.Context, string) (*authn.Principal, error) { panic(boom) })
	c := admit(t, quiet(authn.New(authn.Bearer(v))), unary, bearing("Bearer "+secret))
	var p *interceptor.PanicError
	if !errors.As(c.Err(), &p) || p.Value != any(boom) {
		t.Errorf("the panic is %v; want its own value", c.Err())
	}
}

type boomError struct{ text string }

func (e boomError) Error() string { return "boom: " + e.text }

func checkHidden(t *testing.T, text string) {
	t.Helper()
	for i := 0; i+8 <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+8]) {
			t.Errorf("%q contains %q of the credential", text, secret[i:i+8])
			return
		}
	}
	if text == "" {
		t.Error("there is no text at all")
	}
}
