package main

import (
	"encoding/base64"
	"strings"
	"time"
)

// person is somebody the issuer knows.
type person struct {
	name  string
	scope string
	roles []string
}

var (
	alice = person{name: "alice", scope: "orders.read", roles: []string{"member"}}
	bob   = person{name: "bob", scope: "orders.read", roles: []string{"member"}}
	chris = person{name: "chris", roles: []string{"clerk"}}
	carol = person{name: "carol", scope: "orders.read", roles: []string{"manager"}}
)

// caller is who makes a call of the tour, and the token it is made with.
type caller struct {
	title string
	token string // "" for none
}

// cast are the callers of the tour.
type cast struct {
	nobody, alice, bob, chris, carol caller
	// Tokens that say alice and are not good, each for one reason.
	expired, elsewhere, forged, unsigned caller
}

func newCast(i *issuer) (*cast, error) {
	stranger, err := newIssuer(i.url) // who signs with a key of his own under the same id
	if err != nil {
		return nil, err
	}
	good := i.claimsOf(alice)
	late, other := good, good
	late.IssuedAt, late.Expires = time.Now().Add(-2*time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	other.Audience = "somebody-else"

	c := &cast{nobody: caller{title: "nobody"}}
	for _, t := range []struct {
		to     *caller
		title  string
		signer *issuer
		claims claims
	}{
		{&c.alice, "alice, a member", i, good},
		{&c.bob, "bob, a member", i, i.claimsOf(bob)},
		{&c.chris, "chris, a clerk", i, i.claimsOf(chris)},
		{&c.carol, "carol, a manager", i, i.claimsOf(carol)},
		{&c.expired, "expired an hour ago", i, late},
		{&c.elsewhere, "for another service", i, other},
		{&c.forged, "signed by a stranger", stranger, good},
	} {
		token, err := t.signer.sign(t.claims)
		if err != nil {
			return nil, err
		}
		*t.to = caller{title: t.title, token: token}
	}
	c.unsigned = caller{title: "says it is unsigned", token: unsign(c.alice.token)}
	return c, nil
}

// unsign has the token say that it is not signed: libraries that let a token choose
// how it is checked used to believe that.
func unsign(token string) string {
	parts := strings.Split(token, ".")
	parts[0] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"` + keyID + `"}`))
	return strings.Join(parts, ".")
}
