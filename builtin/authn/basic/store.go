package basic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/crypto/bcrypt"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

// Store finds users. [New] calls it once per call that carries a well-formed
// credential, from many goroutines at once. It never sees a password.
type Store interface {
	// Lookup returns the user of that id, and false if there is none. The id is
	// whatever the caller sent: 1 to 255 bytes of UTF-8 without control characters and
	// colons. ctx is the call's.
	//
	// An error means that the store could not tell: the call is answered UNAVAILABLE
	// (503). Clients see nothing of its text. An unknown id should cost the store
	// what a known one costs.
	Lookup(ctx context.Context, id string) (user User, known bool, err error)
}

// User is what is kept of a user.
type User struct {
	// Hash is the bcrypt hash of the password, as [Hash] makes it.
	Hash []byte
	// Principal is who the user is to the service. The default, nil, is a principal
	// whose subject is the user id.
	Principal *authn.Principal
}

// Hash returns the bcrypt hash of a password, to be stored in a [User]. The cost is
// 12: some hundred milliseconds of one core. It fails for a password that no caller
// could send: an empty one, one of more than 72 bytes, and one with control characters
// or without valid UTF-8. The error does not repeat it.
func Hash(password string) ([]byte, error) {
	if !text(password) || len(password) > maxPassword {
		return nil, errors.New("basic.Hash: use a password of 1 to 72 bytes of UTF-8 without control characters")
	}
	return bcrypt.GenerateFromPassword([]byte(password), 12)
}

// Static returns a store of a fixed set of users by user id. The map is copied. It
// panics without a user, for an id that no caller could send, and for a hash that is
// not one of bcrypt.
func Static(users map[string]User) Store {
	if len(users) == 0 {
		panic("basic.Static: no user, so every call would be refused; add one, or leave the scheme out")
	}
	s := make(static, len(users))
	for _, id := range slices.Sorted(maps.Keys(users)) {
		u := users[id]
		if !validID(id) {
			panic(fmt.Sprintf("basic.Static: the user id %q is not 1 to 255 bytes of UTF-8 without colons and control characters", id))
		}
		if _, err := bcrypt.Cost(u.Hash); err != nil {
			panic(fmt.Sprintf("basic.Static: the hash of user %q is not one of bcrypt; make it with basic.Hash", id))
		}
		u.Hash = slices.Clone(u.Hash)
		s[id] = u
	}
	return s
}

type static map[string]User

// Lookup looks into the map.
func (s static) Lookup(_ context.Context, id string) (User, bool, error) {
	u, ok := s[id]
	return u, ok, nil
}

// cost returns the highest cost of a hash.
func (s static) cost() (cost int64) {
	for _, u := range s {
		if c, err := bcrypt.Cost(u.Hash); err == nil {
			cost = max(cost, int64(c))
		}
	}
	return cost
}
