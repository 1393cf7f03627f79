package oidc

import (
	"net/http"
	"time"

	"github.com/crosscut-go/crosscut/builtin/authn/jwks"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
)

type config struct {
	client  *http.Client
	timeout time.Duration
	lazy    bool
	keys    []jwks.Option
	rules   []jwt.Option
}

// Option changes what [New] makes.
type Option interface{ apply(*config) }

type option func(*config)

func (f option) apply(c *config) { f(c) }

// Client sets the client to fetch the document and the keys with, for example one with
// a transport that trusts a private authority. It is copied; redirects, cookies and the
// bound on responses are ruled by this package. The default is a client of its own,
// which honours the proxy settings of the environment. The last one given counts.
func Client(client *http.Client) Option {
	return option(func(c *config) { c.client = client })
}

// Timeout sets how long one attempt to read the discovery document may take, redirects
// and body included. The default is 5 seconds. The last one given counts. For the keys
// there is jwks.Timeout.
func Timeout(d time.Duration) Option {
	return option(func(c *config) { c.timeout = d })
}

// Lazy lets the program start while the provider is down. Tokens are answered
// UNAVAILABLE until the discovery document has been read.
func Lazy() Option {
	return option(func(c *config) { c.lazy = true })
}

// Keys adds options of package jwks, such as jwks.MaxAge and jwks.OnError.
func Keys(opts ...jwks.Option) Option {
	return option(func(c *config) { c.keys = append(c.keys, opts...) })
}

// Tokens adds options of package jwt, such as jwt.MaxLifetime and jwt.Roles. A further
// jwt.Audience is accepted beside the first. jwt.Algorithms counts instead of what the
// provider lists; jwt.Issuer has no effect.
func Tokens(opts ...jwt.Option) Option {
	return option(func(c *config) { c.rules = append(c.rules, opts...) })
}
