package authn

import (
	"context"
	"fmt"
	"strings"
)

// Scheme is one way for callers to present a credential, together with the
// [Verifier] that checks it. It is made by [Bearer] or [Authorization]; the zero
// Scheme is refused by [New].
type Scheme struct {
	name      string // lower case: scheme names are case-insensitive
	challenge string // the value of WWW-Authenticate
	verifier  Verifier
}

// Bearer is the scheme of tokens sent as "Authorization: Bearer <token>" (RFC
// 6750 section 2.1). It panics for a nil verifier.
func Bearer(verifier Verifier) Scheme { return Authorization("Bearer", verifier) }

// Authorization is the scheme of credentials sent as "Authorization: <name>
// <credential>", for names other than Bearer. The verifier gets what follows the
// name: characters of token68 (RFC 9110 section 11.2), so schemes with parameters
// cannot be read this way. It panics for a name that is not a word and for a nil
// verifier.
func Authorization(name string, verifier Verifier) Scheme {
	if !word(name) {
		panic(fmt.Sprintf("authn.Authorization(%q): use letters, digits and - for the name of a scheme, such as Bearer", name))
	}
	if f, isFunc := verifier.(VerifierFunc); verifier == nil || isFunc && f == nil {
		panic(fmt.Sprintf("authn: the verifier of scheme %s is nil; pass one, such as authn.StaticTokens for development", name))
	}
	s := Scheme{name: strings.ToLower(name), challenge: name, verifier: verifier}
	if v, ok := verifier.(schemed); ok {
		s.verifier = v.forScheme(s.name)
	}
	return s
}

// schemed is a verifier that keeps its principals and would otherwise have them
// copied on every call to name their scheme.
type schemed interface {
	forScheme(name string) Verifier
}

// verify asks the verifier, and keeps a panic from repeating the credential.
func (s *Scheme) verify(ctx context.Context, credential string) (*Principal, error) {
	defer hidePanic(credential)
	return s.verifier.Verify(ctx, credential)
}

func word(name string) bool {
	for i := range len(name) {
		if b := name[i]; !alphanumeric(b) && b != '-' {
			return false
		}
	}
	return name != ""
}
