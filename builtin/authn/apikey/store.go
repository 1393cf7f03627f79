package apikey

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

// Store finds the records of keys. [New] calls it once per call that carries a key,
// from many goroutines at once.
type Store interface {
	// Lookup returns the record of the key with that id, and false if there is none.
	// The id has the form of one and is whatever the caller sent. ctx is the call's.
	//
	// An error means that the store could not tell: the call is answered UNAVAILABLE
	// (503). Clients see nothing of its text. An unknown id should cost the store
	// what a known one costs.
	Lookup(ctx context.Context, id string) (record Record, known bool, err error)
}

// Digest is the SHA-256 of a whole key.
type Digest = [sha256.Size]byte

// Record is what is kept of a key. It holds no secret.
type Record struct {
	ID        string // what the key begins with
	Digest    Digest // the SHA-256 of the whole key
	Principal *authn.Principal
}

// Static returns a store of a fixed list of records, such as those that a
// configuration holds. It panics without a record, for a record without id, digest
// or principal, and for two of one id.
func Static(records ...Record) Store {
	if len(records) == 0 {
		panic("apikey.Static(): no record, so every call would be refused; add one, or leave the scheme out")
	}
	s := make(static, len(records))
	for i, r := range records {
		switch {
		case !validID(r.ID):
			panic(fmt.Sprintf("apikey.Static: the id of record %d is not one that a key can begin with; make records with apikey.Generate or apikey.NewRecord", i+1))
		case r.Digest == Digest{}:
			panic(fmt.Sprintf("apikey.Static: record %q has no digest; make records with apikey.Generate or apikey.NewRecord", r.ID))
		case r.Principal.Subject() == "":
			panic(fmt.Sprintf("apikey.Static: the principal of record %q has no subject; name who it stands for", r.ID))
		}
		if _, twice := s[r.ID]; twice {
			panic(fmt.Sprintf("apikey.Static: two records have the id %q; give every key an id of its own", r.ID))
		}
		s[r.ID] = r
	}
	return s
}

type static map[string]Record

// Lookup looks into the map.
func (s static) Lookup(_ context.Context, id string) (Record, bool, error) {
	r, ok := s[id]
	return r, ok, nil
}
