package jwt

import (
	"context"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

// Verifier verifies the tokens of one issuer. It is made by [New], goes into
// authn.Bearer, and is safe for concurrent use.
type Verifier struct {
	keys  KeySet
	rules *rules
	cache *cache
	now   func() time.Time
}

var _ authn.Verifier = (*Verifier)(nil)

// New returns the verifier of tokens that are signed with these keys. [Issuer] and
// [Audience] are required. New panics for a nil key set and for options that make no
// sense, with a text that says what to do.
func New(keys KeySet, opts ...Option) *Verifier {
	if keys == nil {
		panic("jwt.New: the key set is nil; pass jwks.New(url), or jwt.Keys with the public keys of the issuer")
	}
	r := defaultRules()
	for _, o := range opts {
		if o == nil {
			panic("jwt.New: an option is nil; leave it out")
		}
		o.apply(r)
	}
	if mistake := r.mistake(); mistake != "" {
		panic("jwt.New: " + mistake)
	}
	return &Verifier{keys: keys, rules: r, cache: newCache(r.cacheSize), now: time.Now}
}

// Verify returns the principal that a token stands for. The package documentation
// says what a token must be. Principals are shared between the calls that present one
// token. ctx bounds the time for which the key set is waited for.
func (v *Verifier) Verify(ctx context.Context, token string) (*authn.Principal, error) {
	if len(token) > MaxToken {
		return nil, errTooLong
	}
	now := v.now()
	version := v.keys.Version() // before the key is looked up, see cache.put
	d := digestOf(token)
	if p, ok := v.cache.get(d, version, now); ok {
		return p, nil
	}
	payload, err := v.verifySignature(ctx, token)
	if err != nil {
		return nil, err
	}
	now = v.now() // fetching keys may have taken a while
	p, expiry, err := v.rules.principal(payload, now)
	if err != nil {
		return nil, err
	}
	v.cache.put(d, p, version, now, expiry)
	return p, nil
}

// verifySignature returns the payload of a token that was signed by the key it names,
// with the algorithm of that key.
func (v *Verifier) verifySignature(ctx context.Context, token string) ([]byte, error) {
	h, err := parse(token, v.rules)
	if err != nil {
		return nil, err
	}
	key, err := v.keys.Key(ctx, h.keyID)
	if err != nil {
		return nil, err
	}
	if key.ID != h.keyID || key.Algorithm != h.algorithm || key.fits() != nil {
		return nil, errKey
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(key.Algorithm)})
	if err != nil {
		return nil, errForm
	}
	payload, err := signed.Verify(key.Public)
	if err != nil {
		return nil, errSignature
	}
	return payload, nil
}
