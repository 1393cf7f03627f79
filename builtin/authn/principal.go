package authn

import (
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"
)

// Principal is who called. It is made by [NewPrincipal], immutable, and safe for
// concurrent use; verifiers may share one between calls. The methods of a nil
// Principal answer with zero values, so that a missing one allows nothing.
//
// Its text and its slog value name subject, issuer and scheme, and no claims.
type Principal struct {
	subject string
	issuer  string
	scheme  string
	scopes  []string // sorted, without duplicates
	roles   []string // likewise
	claims  map[string]any
	expiry  time.Time
}

// NewPrincipal returns the principal of that subject. The subject names a caller
// uniquely within its issuer; the hook refuses a principal without one.
func NewPrincipal(subject string, opts ...PrincipalOption) *Principal {
	p := &Principal{subject: subject}
	for _, o := range opts {
		o.apply(p)
	}
	return p
}

// PrincipalOption adds to a [Principal] made by [NewPrincipal].
type PrincipalOption interface{ apply(*Principal) }

type principalOption func(*Principal)

func (f principalOption) apply(p *Principal) { f(p) }

// WithIssuer names who vouches for the subject. Subjects of two issuers are two
// callers even if they are spelled alike. The default is none; the last one given
// counts.
func WithIssuer(issuer string) PrincipalOption {
	return principalOption(func(p *Principal) { p.issuer = issuer })
}

// WithScheme names the scheme of the credential. The default, and the usual
// thing, is that the hook fills it in. The last one given counts.
func WithScheme(scheme string) PrincipalOption {
	return principalOption(func(p *Principal) { p.scheme = scheme })
}

// WithScopes adds scopes, each exactly as it is compared later. Empty ones are
// dropped; repeating the option adds more. The slice is copied.
func WithScopes(scopes ...string) PrincipalOption {
	return principalOption(func(p *Principal) { p.scopes = union(p.scopes, scopes) })
}

// WithRoles adds roles, each exactly as it is compared later. Empty ones are
// dropped; repeating the option adds more. The slice is copied.
func WithRoles(roles ...string) PrincipalOption {
	return principalOption(func(p *Principal) { p.roles = union(p.roles, roles) })
}

// WithClaims sets whatever else the verifier knows, by name. The map is copied,
// with the maps and slices in it that encoding/json makes; other values must not
// be changed afterwards. The last one given counts.
func WithClaims(claims map[string]any) PrincipalOption {
	return principalOption(func(p *Principal) { p.claims, _ = copyClaim(claims).(map[string]any) })
}

// WithExpiry sets when the principal stops counting, allowance for clock skew
// included. The default, the zero time, is never. The last one given counts.
func WithExpiry(expiry time.Time) PrincipalOption {
	return principalOption(func(p *Principal) { p.expiry = expiry })
}

// Subject returns who called, as the issuer names them.
func (p *Principal) Subject() string {
	if p == nil {
		return ""
	}
	return p.subject
}

// Issuer returns who vouches for the subject, or "".
func (p *Principal) Issuer() string {
	if p == nil {
		return ""
	}
	return p.issuer
}

// Scheme returns the scheme of the credential in lower case, such as "bearer".
func (p *Principal) Scheme() string {
	if p == nil {
		return ""
	}
	return p.scheme
}

// Scopes returns the scopes in lexical order, each once.
func (p *Principal) Scopes() iter.Seq[string] {
	if p == nil {
		return slices.Values[[]string](nil)
	}
	return slices.Values(p.scopes)
}

// HasScope tells whether scope is one of the scopes, compared byte by byte.
func (p *Principal) HasScope(scope string) bool {
	return p != nil && contains(p.scopes, scope)
}

// Roles returns the roles in lexical order, each once.
func (p *Principal) Roles() iter.Seq[string] {
	if p == nil {
		return slices.Values[[]string](nil)
	}
	return slices.Values(p.roles)
}

// HasRole tells whether role is one of the roles, compared byte by byte.
func (p *Principal) HasRole(role string) bool {
	return p != nil && contains(p.roles, role)
}

// Claim returns the claim of that name and whether there is one. Maps and slices
// that encoding/json makes are the caller's own copies.
func (p *Principal) Claim(name string) (any, bool) {
	if p == nil {
		return nil, false
	}
	v, ok := p.claims[name]
	return copyClaim(v), ok
}

// Claims returns a copy of all claims, or nil without any.
func (p *Principal) Claims() map[string]any {
	if p == nil || len(p.claims) == 0 {
		return nil
	}
	claims, _ := copyClaim(p.claims).(map[string]any)
	return claims
}

// Expiry returns when the principal stops counting, or the zero time for never.
func (p *Principal) Expiry() time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.expiry
}

// String returns subject, issuer and scheme, for people.
func (p *Principal) String() string {
	if p == nil {
		return "nobody"
	}
	s := p.subject
	if p.issuer != "" {
		s += " of " + p.issuer
	}
	if p.scheme != "" {
		s += fmt.Sprintf(" (%s)", p.scheme)
	}
	return s
}

// LogValue returns subject, issuer and scheme; claims may be personal and stay
// out of logs.
func (p *Principal) LogValue() slog.Value {
	if p == nil {
		return slog.StringValue("nobody")
	}
	attrs := []slog.Attr{slog.String("subject", p.subject)}
	if p.issuer != "" {
		attrs = append(attrs, slog.String("issuer", p.issuer))
	}
	if p.scheme != "" {
		attrs = append(attrs, slog.String("scheme", p.scheme))
	}
	return slog.GroupValue(attrs...)
}

// stamped returns p with its scheme filled in: p itself where it has one.
func (p *Principal) stamped(scheme string) *Principal {
	if p.scheme != "" {
		return p
	}
	named := *p
	named.scheme = scheme
	return &named
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(all)
	return slices.Compact(all)
}

func contains(sorted []string, s string) bool {
	_, ok := slices.BinarySearch(sorted, s)
	return ok
}

// copyClaim copies what encoding/json makes of objects and arrays.
func copyClaim(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = copyClaim(e)
		}
		return m
	case []any:
		s := slices.Clone(v)
		for i := range s {
			s[i] = copyClaim(s[i])
		}
		return s
	case []string:
		return slices.Clone(v)
	}
	return v
}
