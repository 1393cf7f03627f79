package apikey

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

// DefaultHeader is where keys arrive unless [Header] says otherwise.
const DefaultHeader = "X-Api-Key"

// Reasons for refusing a key. They are the same whether the id exists or not.
var (
	errForm    = errors.New("apikey: the credential does not have the form of a key, <id>_<secret>")
	errUnknown = errors.New("apikey: no record matches the key")
)

// New returns the scheme of API keys, for [authn.New]. Its name is "apikey". It
// panics for a nil store.
func New(store Store, opts ...Option) authn.Scheme {
	if store == nil {
		panic("apikey.New(nil): pass a Store, such as apikey.Static(records...)")
	}
	c := config{header: DefaultHeader}
	for _, o := range opts {
		o.apply(&c)
	}
	return authn.Header("ApiKey", c.header, &verifier{store: store})
}

// Option changes what [New] does.
type Option interface{ apply(*config) }

type option func(*config)

func (f option) apply(c *config) { f(c) }

type config struct{ header string }

// Header names the header that keys arrive in. The default is [DefaultHeader]; the
// last one given counts. [New] panics for a header that has another meaning on some
// transport, as [authn.Header] does.
func Header(name string) Option { return option(func(c *config) { c.header = name }) }

type verifier struct{ store Store }

var _ authn.Verifier = (*verifier)(nil)

// Verify does the same work for every key that has the form of one.
func (v *verifier) Verify(ctx context.Context, key string) (*authn.Principal, error) {
	id, ok := split(key)
	if !ok {
		return nil, errForm
	}
	digest := digestOf(key)
	record, known, err := v.store.Lookup(ctx, id)
	if err != nil {
		return nil, interceptor.NewError(codes.Unavailable, "the keys cannot be read", interceptor.WithCause(err))
	}
	if !known {
		record = Record{} // no key has a digest of zeros
	}
	if subtle.ConstantTimeCompare(digest[:], record.Digest[:]) != 1 {
		return nil, errUnknown
	}
	return record.Principal, nil
}

// digestOf hashes keys of the usual length without an allocation.
func digestOf(key string) Digest {
	var space [128]byte
	return sha256.Sum256(append(space[:0], key...))
}
