package authn

import (
	"fmt"
	"strings"
)

// SchemeOption changes a [Scheme] while it is made.
type SchemeOption interface{ apply(*Scheme) }

type schemeOption func(*Scheme)

func (f schemeOption) apply(s *Scheme) { f(s) }

// Parameter adds a parameter to the challenge that refusals carry in
// WWW-Authenticate (RFC 9110 section 11.6.1), such as Parameter("realm",
// "bookshop"). Parameters stand in the order given. It panics for a name that is not
// a word, and for a value that is not printable ASCII, which no transport would
// carry as it is.
func Parameter(name, value string) SchemeOption {
	if !word(name) || !printable(value) {
		panic(fmt.Sprintf("authn.Parameter(%q, %q): use a word for the name and printable ASCII for the value", name, value))
	}
	quoted := name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
	return schemeOption(func(s *Scheme) {
		separator := ", "
		if !strings.Contains(s.challenge, " ") {
			separator = " "
		}
		s.challenge += separator + quoted
	})
}

// YieldToOthers lets the client certificate identify the caller only where the call
// carries no other credential. By default a call with a certificate and a token
// carries two credentials and is refused; in a mesh, where every connection has a
// certificate, this option makes the certificate the transport's and the token the
// caller's. It panics on a scheme that is not made by [Certificate].
func YieldToOthers() SchemeOption {
	return schemeOption(func(s *Scheme) {
		if s.certificates == nil {
			panic(fmt.Sprintf("authn.YieldToOthers: scheme %s reads no certificates; only the scheme made by authn.Certificate can yield", s.name))
		}
		s.yields = true
	})
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
