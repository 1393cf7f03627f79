package authn

import (
	"crypto/x509"
	"fmt"
	"net/textproto"
	"strings"

	"github.com/crosscut-go/crosscut/interceptor"
)

// credential is what a caller presents, and the scheme it is presented by.
type credential struct {
	scheme *Scheme
	text   string                // of headers
	chains [][]*x509.Certificate // of connections
}

// place is where a call may carry a credential. There is one per header, and one
// for the connection.
type place interface {
	// find returns the credential that stands there, or why it does not count:
	// missing only where there is nothing at all. others tells whether another
	// place has something.
	find(call *interceptor.Call, others bool) (credential, reason)
}

// newPlaces returns the places of the schemes. Authorization is always one of them:
// a caller that uses it has chosen a kind of credential, accepted or not. The
// connection is the last, because it may yield.
func newPlaces(schemes []Scheme) []place {
	inAuthorization := authorizationHeader{}
	var headers, connection []place
	taken := map[string]string{}
	for i := range schemes {
		s := &schemes[i]
		if other, ok := taken[s.header]; ok {
			panic(fmt.Sprintf("authn.New: schemes %s and %s are both read from %s; pass one verifier that knows both kinds of credential", other, s.name, s.where()))
		}
		switch {
		case s.header == authorization:
			inAuthorization = append(inAuthorization, s)
			continue
		case s.certificates != nil:
			connection = append(connection, connectionOf{s})
		default:
			headers = append(headers, ownedHeader{s, spell(s.header)})
		}
		taken[s.header] = s.name
	}
	return append(append([]place{inAuthorization}, headers...), connection...)
}

func (s *Scheme) where() string {
	if s.certificates != nil {
		return "the client certificate"
	}
	return "header " + s.header
}

// find returns the only credential of a call.
func (h *hook) find(call *interceptor.Call) (credential, reason) {
	found, why := credential{}, missing
	for _, p := range h.places {
		c, state := p.find(call, why != missing)
		if state == missing {
			continue
		}
		if why != missing {
			return credential{}, twoKinds
		}
		found, why = c, state
	}
	return found, why
}

// spelling is the name of a header as each transport spells it. Any would do, but
// folding it takes an allocation for every call.
type spelling struct{ metadata, header string }

func spell(header string) spelling {
	return spelling{metadata: strings.ToLower(header), header: textproto.CanonicalMIMEHeaderKey(header)}
}

func (s spelling) values(call *interceptor.Call) []string {
	if call.Transport() == interceptor.GRPC {
		return call.RequestHeader().Values(s.metadata)
	}
	return call.RequestHeader().Values(s.header)
}

var authorizationSpelling = spell(authorization)

// authorizationHeader is Authorization with the schemes that it may name.
type authorizationHeader []*Scheme

func (schemes authorizationHeader) find(call *interceptor.Call, _ bool) (credential, reason) {
	value, why := only(authorizationSpelling.values(call))
	if why != none {
		return credential{}, why
	}
	name, text, why := parse(value)
	if why != none {
		return credential{}, why
	}
	for _, s := range schemes {
		if strings.EqualFold(s.name, name) {
			return credential{scheme: s, text: text}, none
		}
	}
	return credential{}, foreign
}

// ownedHeader is a header that one scheme has for itself.
type ownedHeader struct {
	scheme *Scheme
	name   spelling
}

func (h ownedHeader) find(call *interceptor.Call, _ bool) (credential, reason) {
	value, why := only(h.name.values(call))
	switch {
	case why != none:
		return credential{}, why
	case len(value) > MaxCredential:
		return credential{}, tooLong
	case !token68(value):
		return credential{}, malformedHeader
	}
	return credential{scheme: h.scheme, text: value}, none
}

// connectionOf is the TLS connection of the caller.
type connectionOf struct{ scheme *Scheme }

func (c connectionOf) find(call *interceptor.Call, others bool) (credential, reason) {
	if others && c.scheme.yields {
		return credential{}, missing
	}
	tls := call.Peer().TLS
	switch {
	case tls == nil || len(tls.PeerCertificates) == 0 && len(tls.VerifiedChains) == 0:
		return credential{}, missing
	case len(tls.VerifiedChains) == 0 || len(tls.VerifiedChains[0]) == 0:
		return credential{}, unverified
	}
	return credential{scheme: c.scheme, chains: tls.VerifiedChains}, none
}
