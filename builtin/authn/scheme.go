package authn

import (
	"context"
	"fmt"
	"net/textproto"
	"strings"
)

// Scheme is one way for callers to present a credential, together with what checks
// it. It is made by [Bearer], [Authorization], [Header] or [Certificate], or by the
// packages below this one; the zero Scheme is refused by [New].
type Scheme struct {
	name         string // lower case: scheme names are case-insensitive
	challenge    string // the value of WWW-Authenticate
	header       string // lower case; where Verifier's credential stands
	verifier     Verifier
	certificates CertificateVerifier
	yields       bool
}

// authorization is the header of schemes that are told apart by their name in it.
const authorization = "authorization"

// Bearer is the scheme of tokens sent as "Authorization: Bearer <token>" (RFC
// 6750 section 2.1). It panics for a nil verifier.
func Bearer(verifier Verifier, opts ...SchemeOption) Scheme {
	return Authorization("Bearer", verifier, opts...)
}

// Authorization is the scheme of credentials sent as "Authorization: <name>
// <credential>", for names other than Bearer. The verifier gets what follows the
// name: characters of token68 (RFC 9110 section 11.2), so schemes with parameters
// cannot be read this way. It panics for a name that is not a word and for a nil
// verifier.
func Authorization(name string, verifier Verifier, opts ...SchemeOption) Scheme {
	if !word(name) {
		panic(fmt.Sprintf("authn.Authorization(%q): use letters, digits and - for the name of a scheme, such as Bearer", name))
	}
	return newScheme(Scheme{name: name, header: authorization, verifier: verifier}, opts)
}

// Header is the scheme of credentials that are the whole value of a header of
// their own, such as "X-Api-Key: <credential>". The name is what policies and
// principals call the scheme, in lower case; the header is case-insensitive, and
// part of the challenge. The verifier gets characters of token68 (RFC 9110 section
// 11.2), so that values joined by a proxy are never taken for one.
//
// It panics for a name that is not a word, for a nil verifier, and for a header that
// has another meaning on some transport: Authorization, Cookie, names beginning
// with "grpc-" and binary metadata.
func Header(name, header string, verifier Verifier, opts ...SchemeOption) Scheme {
	if !word(name) {
		panic(fmt.Sprintf("authn.Header(%q, %q): use letters, digits and - for the name of a scheme, such as ApiKey", name, header))
	}
	if !ownHeader(header) {
		panic(fmt.Sprintf("authn.Header(%q, %q): use a header of letters, digits, - and _ that has no other meaning, such as X-Api-Key", name, header))
	}
	header = strings.ToLower(header)
	return newScheme(Scheme{name: name, header: header, verifier: verifier}, append([]SchemeOption{Parameter("header", header)}, opts...))
}

// newScheme finishes a scheme whose name still is as it will be in the challenge.
func newScheme(s Scheme, opts []SchemeOption) Scheme {
	if f, isFunc := s.verifier.(VerifierFunc); s.certificates == nil && (s.verifier == nil || isFunc && f == nil) {
		panic(fmt.Sprintf("authn: the verifier of scheme %s is nil; pass one, such as authn.StaticTokens for development", s.name))
	}
	s.challenge, s.name = s.name, strings.ToLower(s.name)
	for _, o := range opts {
		o.apply(&s)
	}
	if v, ok := s.verifier.(schemed); ok {
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
func (s *Scheme) verify(ctx context.Context, c credential) (*Principal, error) {
	if s.certificates != nil {
		return s.certificates(ctx, c.chains)
	}
	defer hidePanic(c.text)
	return s.verifier.Verify(ctx, c.text)
}

func word(name string) bool {
	for i := range len(name) {
		if b := name[i]; !alphanumeric(b) && b != '-' {
			return false
		}
	}
	return name != ""
}

// ownHeader tells whether a credential may stand in the header of that name on
// every transport.
func ownHeader(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Authorization", "Proxy-Authorization", "Cookie", "Host", "Content-Type", "Content-Length", "Te", "User-Agent":
		return false
	}
	lower := strings.ToLower(name)
	return word(strings.ReplaceAll(name, "_", "-")) && !strings.HasPrefix(lower, "grpc-") && !strings.HasSuffix(lower, "-bin")
}
