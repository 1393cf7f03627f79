package authn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

// A verifier checks one kind of credential. This one understands tokens such as
// "alice.read.write" and would check a signature if it were real.
func ExampleVerifierFunc() {
	verifier := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) {
		subject, scopes, ok := strings.Cut(token, ".")
		if !ok {
			return nil, errors.New("no scopes")
		}
		return authn.NewPrincipal(subject,
			authn.WithIssuer("https://id.example"),
			authn.WithScopes(strings.Split(scopes, ".")...),
			authn.WithExpiry(time.Now().Add(time.Hour)),
		), nil
	})
	hook := authn.New(authn.Bearer(verifier)) // goes into interceptor.New
	_ = hook

	p, err := verifier.Verify(context.Background(), "alice.read.write")
	fmt.Println(p, p.HasScope("write"), p.HasScope("admin"), err)
	p, err = verifier.Verify(context.Background(), "mallory")
	fmt.Println(p, p.HasScope("write"), err)

	// Output:
	// alice of https://id.example true false <nil>
	// nobody false no scopes
}
