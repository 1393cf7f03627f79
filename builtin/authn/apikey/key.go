package apikey

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

const (
	maxID     = 64
	maxSecret = 128
	// minSecret is how long the secret of a key must be that is made elsewhere: 16
	// letters and digits are at least 80 bits if they are random.
	minSecret = 16
	// randomID is how many random characters end an id made by Generate.
	randomID = 12
)

// Generate makes a key of a principal, and the record to store for it. The id is
// the prefix, an underscore and 12 random letters and digits; the secret has 130
// random bits of crypto/rand. The key is to be shown to its owner once: it cannot be
// computed from the record.
//
// The prefix says whose keys these are, such as "shop" or "shop_live". Generate
// panics for one that is empty, has more than 51 bytes, or has others than letters,
// digits, dashes, dots and underscores, and for a principal without a subject.
func Generate(prefix string, principal *authn.Principal) (key string, record Record) {
	if !validID(prefix) || len(prefix)+1+randomID > maxID {
		panic(fmt.Sprintf("apikey.Generate(%q): use 1 to %d letters, digits, dashes, dots and underscores for the prefix", prefix, maxID-1-randomID))
	}
	id := prefix + "_" + strings.ToLower(rand.Text()[:randomID])
	key = id + "_" + rand.Text()
	record, err := NewRecord(key, principal)
	if err != nil {
		panic(err.Error())
	}
	return key, record
}

// NewRecord returns the record of a key that was made elsewhere. It fails for a key
// that does not have the form given in the package documentation, for a secret of
// fewer than 16 characters (an empty one above all), and for a principal without a
// subject. The error does not repeat the key.
func NewRecord(key string, principal *authn.Principal) (Record, error) {
	id, ok := split(key)
	switch {
	case !ok:
		return Record{}, errors.New("apikey: the key is not <id>_<secret> with a secret of letters and digits; make keys with apikey.Generate")
	case len(key)-len(id)-1 < minSecret:
		return Record{}, fmt.Errorf("apikey: the secret of key %q has fewer than %d characters; make keys with apikey.Generate", id, minSecret)
	case principal.Subject() == "":
		return Record{}, fmt.Errorf("apikey: the principal of key %q has no subject; name who it stands for", id)
	}
	return Record{ID: id, Digest: digestOf(key), Principal: principal}, nil
}

// split returns the id of a key that has the form of one.
func split(key string) (id string, ok bool) {
	at := strings.LastIndexByte(key, '_')
	if at < 0 {
		return "", false
	}
	id, secret := key[:at], key[at+1:]
	return id, validID(id) && validSecret(secret)
}

func validID(id string) bool {
	for i := range len(id) {
		if b := id[i]; !alphanumeric(b) && b != '-' && b != '.' && b != '_' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

func validSecret(secret string) bool {
	for i := range len(secret) {
		if !alphanumeric(secret[i]) {
			return false
		}
	}
	return secret != "" && len(secret) <= maxSecret
}

func alphanumeric(b byte) bool {
	lower := b | 0x20
	return '0' <= b && b <= '9' || 'a' <= lower && lower <= 'z'
}
