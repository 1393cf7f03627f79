package jwt

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
)

// Key is a public key that tokens are verified with. Nothing in it may be changed
// once a [KeySet] has it.
type Key struct {
	// ID is the kid that tokens name it by: 1 to 128 printable ASCII characters.
	ID string
	// Algorithm is the only algorithm the key is used with, such as "RS256": one of
	// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA (RFC
	// 7518 section 3.1, RFC 8037).
	Algorithm string
	// Public is an *rsa.PublicKey of 2048 to 4096 bits, an *ecdsa.PublicKey on the
	// curve of the algorithm, or an ed25519.PublicKey.
	Public crypto.PublicKey
}

// The sizes of RSA keys: fewer bits can be broken, more cost a stranger nothing and
// us too much.
const (
	minRSABits = 2048
	maxRSABits = 4096
)

// algorithms are all that are ever accepted, in the order of documentation. None is
// symmetric, and "none" is none of them.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

var curves = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}

// Validate returns an error that says what is wrong if the key cannot be used: a bad
// id, an algorithm that is not in the list or not for that kind of key, a weak key.
// The error contains the id and nothing of the key.
func (k Key) Validate() error {
	if !printable(k.ID) {
		return errors.New("jwt: the id of a key must be 1 to 128 printable ASCII characters")
	}
	if err := k.fits(); err != nil {
		return fmt.Errorf("jwt: key %q: %w", k.ID, err)
	}
	return nil
}

// fits tells whether the key is strong enough and of the kind its algorithm needs.
func (k Key) fits() error {
	if !slices.Contains(algorithms, k.Algorithm) {
		return fmt.Errorf("the algorithm is not one of %v", algorithms)
	}
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		switch {
		case k.Algorithm[0] != 'R' && k.Algorithm[0] != 'P':
			return errors.New("an RSA key needs an algorithm RS… or PS…")
		case public == nil || public.N == nil || public.N.BitLen() < minRSABits || public.N.BitLen() > maxRSABits:
			return fmt.Errorf("an RSA key must have %d to %d bits", minRSABits, maxRSABits)
		case public.E < 3 || public.E&1 == 0 || public.N.Bit(0) == 0:
			return errors.New("the RSA key has an even modulus, or an exponent that is even or below 3")
		}
	case *ecdsa.PublicKey:
		if public == nil || public.Curve == nil || curves[k.Algorithm] != public.Curve {
			return errors.New("an ECDSA key needs ES256 on P-256, ES384 on P-384, or ES512 on P-521")
		}
		if _, err := public.Bytes(); err != nil {
			return errors.New("the ECDSA key is not a point on its curve")
		}
	case ed25519.PublicKey:
		if k.Algorithm != string(jose.EdDSA) || len(public) != ed25519.PublicKeySize {
			return errors.New("an Ed25519 key has 32 bytes and needs the algorithm EdDSA")
		}
	default:
		return fmt.Errorf("%T is not a public key for signatures: use *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey", k.Public)
	}
	return nil
}

// Equal tells whether other is the same key, with the same id and algorithm.
func (k Key) Equal(other Key) bool {
	public, ok := k.Public.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && k.ID == other.ID && k.Algorithm == other.Algorithm && public.Equal(other.Public)
}

// KeySet is where a [Verifier] finds the key of a token: the keys of one issuer. Both
// methods are called from many goroutines at once, for every call of the service.
type KeySet interface {
	// Key returns the key of that id, or [ErrUnknownKey]. The id comes from a token
	// whose signature has not been checked: it is 1 to 128 printable characters and
	// may be anything. Key may wait for a fetch, until ctx ends. An error whose status
	// is UNAVAILABLE says that the set could not be looked into; every other error
	// refuses the token.
	Key(ctx context.Context, kid string) (Key, error)

	// Version is a number that changes whenever a key was added, replaced or removed,
	// and never comes back. It is 0 while no key may be used, for example because the
	// set has become too old. It does not wait. Tokens that were verified under
	// another version, or under 0, are verified again.
	Version() uint64
}

// Keys is the [KeySet] of keys that are known when the program starts. It panics
// without a key, for one that [Key.Validate] refuses, and for two of one id.
func Keys(keys ...Key) KeySet {
	if len(keys) == 0 {
		panic("jwt.Keys(): no key, so every token would be refused; pass the public keys of the issuer")
	}
	set := make(staticKeys, len(keys))
	for _, k := range keys {
		if err := k.Validate(); err != nil {
			panic(fmt.Sprintf("jwt.Keys: %v", err))
		}
		if _, twice := set[k.ID]; twice {
			panic(fmt.Sprintf("jwt.Keys: two keys have the id %q; ids tell keys apart", k.ID))
		}
		set[k.ID] = k
	}
	return set
}

type staticKeys map[string]Key

// Key implements [KeySet].
func (s staticKeys) Key(_ context.Context, kid string) (Key, error) {
	if k, ok := s[kid]; ok {
		return k, nil
	}
	return Key{}, ErrUnknownKey
}

// Version implements [KeySet]: the keys never change.
func (s staticKeys) Version() uint64 { return 1 }

// printable tells whether id may be the id of a key.
func printable(id string) bool {
	for i := range len(id) {
		if id[i] < ' ' || id[i] > '~' {
			return false
		}
	}
	return id != "" && len(id) <= maxKeyID
}
