package decision

import "slices"

// Server is how callers can be recognised.
type Server struct {
	Schemes []string // of bearer, basic, apikey, mtls
	Yields  bool     // a certificate counts only where nothing else does
}

// Caller is who stands behind a credential.
type Caller struct {
	Subject, Issuer string
	Scopes, Roles   []string
	Claims          map[string]any
}

// Verdict is what the verifier of a scheme finds.
type Verdict uint8

// What a verifier may find.
const (
	Good        Verdict = iota
	Expired             // a caller whose credential no longer counts
	Forged              // nobody's credential
	Nameless            // a caller without a subject
	Nil                 // neither a caller nor an error
	Unreachable         // what verifying needs is not there
	Busy                // too much to verify
)

// Token is a credential as its verifier judges it. It is good for one scheme.
type Token struct {
	Scheme  string
	Verdict Verdict
	Caller  Caller
}

// Shape is how the value of a header is written.
type Shape uint8

// Shapes of values. The first three are right; the others are refused whatever token is in them.
const (
	Plain      Shape = iota
	MixedCase        // of the scheme's name
	TwoSpaces        // between name and token
	NoScheme         // the token alone
	NoToken          // the scheme's name alone
	Empty            // no byte at all
	Joined           // two credentials with a comma
	BadByte          // a character that no credential has
	TooLong          // more than 8 KiB
	WrongName        // a scheme nobody knows
	Parameters       // name=value
	Shapes           // the number of shapes
)

// Value is one value of a header.
type Value struct {
	Shape Shape
	Name  string // of the scheme, in Authorization
	Token *Token
}

// Certificate is what the connection says about its client.
type Certificate uint8

// A connection has no client certificate, one that was verified, or one that was not.
const (
	NoCertificate Certificate = iota
	VerifiedCertificate
	UnverifiedCertificate
)

// Sent is what a caller sends to be recognised.
type Sent struct {
	Authorization []Value // values of Authorization
	Key           []Value // values of X-Api-Key
	Certificate   Certificate
	OfClient      *Token // who the certificate stands for
	Decoys        []Decoy
}

// Decoy is a credential where none is looked for.
type Decoy struct {
	Place string // a header
	Token *Token
}

// Places where no credential is looked for.
var Places = []string{"Grpc-Metadata-Authorization", "Authorization-Bin", "X-Authorization", "X-Api-Keys", "X-User-Id", "Grpc-Metadata-X-Api-Key"}

// find returns the one token that was sent and its scheme, or the reason why there is not one.
func (s *Sent) find(server *Server) (*Token, string, Reason) {
	type place struct {
		token  *Token
		scheme string
		reason Reason
	}
	var places []place
	if len(s.Authorization) > 0 {
		v := s.Authorization[0]
		p := place{v.Token, v.Name, v.why(len(s.Authorization), Shapes)}
		if p.reason == Fine && !slices.Contains(server.Schemes, v.Name) {
			p.reason = UnknownScheme
		}
		places = append(places, p)
	}
	if len(s.Key) > 0 && slices.Contains(server.Schemes, "apikey") {
		v := s.Key[0]
		places = append(places, place{v.Token, "apikey", v.why(len(s.Key), MixedCase)})
	}
	if s.Certificate != NoCertificate && slices.Contains(server.Schemes, "mtls") && (len(places) == 0 || !server.Yields) {
		p := place{s.OfClient, "mtls", Fine}
		if s.Certificate == UnverifiedCertificate {
			p.reason = Malformed
		}
		places = append(places, p)
	}
	switch len(places) {
	case 0:
		return nil, "", Missing
	case 1:
		return places[0].token, places[0].scheme, places[0].reason
	}
	return nil, "", TwoCredentials
}

// why returns the reason to refuse the only value of a header without looking at its token. Of the right shapes, those
// before limit are right in this header.
func (v *Value) why(values int, limit Shape) Reason {
	switch {
	case values > 1:
		return TwoCredentials
	case v.Shape == WrongName:
		return UnknownScheme
	case v.Shape > TwoSpaces || v.Shape >= limit:
		return Malformed
	}
	return Fine
}

// Tokens returns the tokens that are sent anywhere.
func (s *Sent) Tokens() []*Token {
	var all []*Token
	for _, v := range slices.Concat(s.Authorization, s.Key) {
		all = append(all, v.Token)
	}
	for _, d := range s.Decoys {
		all = append(all, d.Token)
	}
	if s.OfClient != nil {
		all = append(all, s.OfClient)
	}
	return all
}
