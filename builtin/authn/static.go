package authn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"sort"
)

var errUnknownToken = errors.New("authn: the token is not one of those given to StaticTokens")

// StaticTokens is a [Verifier] over a fixed list of tokens and their subjects,
// for development and tests: tokens that never expire and stand in a
// configuration file are no protection elsewhere. It keeps the SHA-256 of each
// token, compares a caller's with every one of them in constant time, and copies
// subjects, so later changes of the map have no effect.
//
// It panics, without naming the token, for an empty map, for a token that no
// Authorization header can carry (an empty one above all), and for an empty
// subject.
func StaticTokens(subjects map[string]string) Verifier {
	if len(subjects) == 0 {
		panic("authn.StaticTokens: the map is empty, so every call would be refused; add a token, or leave the hook out")
	}
	tokens := make([]string, 0, len(subjects))
	for token := range subjects {
		tokens = append(tokens, token)
	}
	sort.Strings(tokens)
	v := &staticTokens{}
	for _, token := range tokens {
		subject := subjects[token]
		if subject == "" {
			panic("authn.StaticTokens: a token has an empty subject; name who it stands for")
		}
		if len(token) > MaxCredential || !token68(token) {
			panic(fmt.Sprintf("authn.StaticTokens: the token of %q is empty, too long, or has characters that no Authorization header can carry; use letters, digits and -._~+/", subject))
		}
		v.digests = append(v.digests, sha256.Sum256([]byte(token)))
		v.principals = append(v.principals, NewPrincipal(subject))
	}
	return v
}

type staticTokens struct {
	digests    [][sha256.Size]byte
	principals []*Principal
}

// Verify looks at every entry whichever matches, so that time tells nothing about
// the tokens.
func (v *staticTokens) Verify(_ context.Context, token string) (*Principal, error) {
	var space [128]byte // most tokens are hashed without an allocation
	digest := sha256.Sum256(append(space[:0], token...))
	at := -1
	for i := range v.digests {
		same := subtle.ConstantTimeCompare(digest[:], v.digests[i][:])
		at = subtle.ConstantTimeSelect(same, i, at)
	}
	if at < 0 {
		return nil, errUnknownToken
	}
	return v.principals[at], nil
}

// forScheme returns the same tokens with principals that name their scheme.
func (v *staticTokens) forScheme(name string) Verifier {
	named := &staticTokens{digests: v.digests}
	for _, p := range v.principals {
		named.principals = append(named.principals, p.stamped(name))
	}
	return named
}
