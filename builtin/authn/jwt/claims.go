package jwt

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/internal/strictjson"
)

const (
	maxClaimsDepth = 16
	maxSubject     = 255 // bytes; the bound of OpenID Connect Core section 2
)

// principal reads the claims of a token whose signature is valid, and returns who it
// stands for and when it expires, without the skew.
func (r *rules) principal(payload []byte, now time.Time) (*authn.Principal, time.Time, error) {
	claims, err := strictjson.Object(string(payload), maxClaimsDepth)
	if err != nil {
		return nil, time.Time{}, errClaims
	}
	if issuer, _ := claims["iss"].(string); issuer != r.issuer {
		return nil, time.Time{}, errIssuer
	}
	if !r.isAudience(claims["aud"]) {
		return nil, time.Time{}, errAudience
	}
	subject, _ := claims["sub"].(string)
	if subject == "" || len(subject) > maxSubject || strings.ContainsFunc(subject, unicode.IsControl) {
		return nil, time.Time{}, errSubject
	}
	expiry, err := r.lifetime(claims, now)
	if err != nil {
		return nil, time.Time{}, err
	}
	return authn.NewPrincipal(subject,
		authn.WithIssuer(r.issuer),
		authn.WithScopes(scopes(claims, r.scopes)...),
		authn.WithRoles(roles(claims, r.roles)...),
		authn.WithClaims(claims),
		authn.WithExpiry(expiry.Add(r.skew)),
	), expiry, nil
}

// isAudience tells whether aud, a text or an array of texts (RFC 7519 section
// 4.1.3), names one of the audiences.
func (r *rules) isAudience(aud any) bool {
	if one, ok := aud.(string); ok {
		return slices.Contains(r.audiences, one)
	}
	return slices.ContainsFunc(texts(aud), func(one string) bool { return slices.Contains(r.audiences, one) })
}

// lifetime checks the three times of a token and returns its expiry. The skew is
// applied once to each.
func (r *rules) lifetime(claims map[string]any, now time.Time) (time.Time, error) {
	expiry, ok := numericDate(claims, "exp")
	if !ok {
		return time.Time{}, errNoExpiry
	}
	if !now.Before(expiry.Add(r.skew)) {
		return time.Time{}, errExpired
	}
	if _, present := claims["nbf"]; present {
		if begin, ok := numericDate(claims, "nbf"); !ok || begin.After(now.Add(r.skew)) {
			return time.Time{}, errNotYet
		}
	}
	issued := now
	if _, present := claims["iat"]; present {
		if issued, ok = numericDate(claims, "iat"); !ok || issued.After(now.Add(r.skew)) {
			return time.Time{}, errIssuedAt
		}
	}
	// A token without iat was issued at some time before now.
	if expiry.Sub(issued) > r.maxLifetime {
		return time.Time{}, errTooLasting
	}
	return expiry, nil
}

// numericDate returns the claim of that name as a time (RFC 7519 section 2), if it
// is a number. Years that time.Time cannot calculate with are cut to some that are
// past or future enough.
func numericDate(claims map[string]any, name string) (time.Time, bool) {
	seconds, ok := claims[name].(float64)
	if !ok {
		return time.Time{}, false
	}
	const far = 1 << 36 // seconds, about two thousand years
	seconds = min(max(seconds, -far), far)
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

// scopes returns the scopes in the first of the claims that is there.
func scopes(claims map[string]any, names []string) []string {
	for _, name := range names {
		switch value := claims[name].(type) {
		case nil: // absent or null
		case string:
			return strings.Split(value, " ") // empty ones are dropped with the others
		default:
			return texts(value)
		}
	}
	return nil
}

// roles returns the array of texts at that path, and nothing for anything else.
func roles(claims map[string]any, path []string) []string {
	var at any = claims
	for _, name := range path {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	return texts(at)
}

// texts returns the elements of an array that has texts and nothing else, and none of
// anything else.
func texts(value any) []string {
	array, _ := value.([]any)
	all := make([]string, len(array))
	for i, element := range array {
		var ok bool
		if all[i], ok = element.(string); !ok {
			return nil
		}
	}
	return all
}
