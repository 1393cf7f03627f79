package jwks

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

type config struct {
	client       *http.Client
	interval     time.Duration
	refresh      time.Duration
	maxAge       time.Duration
	timeout      time.Duration
	rsaAlgorithm string
	onError      func(error)
}

var defaults = config{
	interval:     30 * time.Second,
	refresh:      5 * time.Minute,
	maxAge:       12 * time.Hour,
	timeout:      5 * time.Second,
	rsaAlgorithm: "RS256",
}

// Option changes what [New] makes.
type Option interface{ apply(*config) }

type option func(*config)

func (f option) apply(c *config) { f(c) }

// Client sets the client to fetch with, for example one with a transport that trusts a
// private authority. It is copied; redirects, cookies and the bound on the response
// are ruled by the set. The default is a client of its own, which honours the proxy
// settings of the environment and keeps no connections. The last one given counts.
func Client(client *http.Client) Option {
	return option(func(c *config) { c.client = client })
}

// MinInterval sets how much time at least lies between the starts of two fetches. The
// default is 30 seconds, the least one second. The last one given counts.
func MinInterval(d time.Duration) Option {
	return option(func(c *config) { c.interval = d })
}

// RefreshEvery sets the age at which keys are fetched again: how long a key that the
// issuer has removed can stay good. The default is 5 minutes; it is at least the
// minimum interval. The last one given counts.
func RefreshEvery(d time.Duration) Option {
	return option(func(c *config) { c.refresh = d })
}

// MaxAge sets the age at which keys are no longer used when they could not be fetched
// again: how long the service runs without the issuer. The default is 12 hours; it is
// at least the age of RefreshEvery. The last one given counts.
func MaxAge(d time.Duration) Option {
	return option(func(c *config) { c.maxAge = d })
}

// Timeout sets how long one fetch may take, redirects and body included. The default
// is 5 seconds. The last one given counts.
func Timeout(d time.Duration) Option {
	return option(func(c *config) { c.timeout = d })
}

// RSAAlgorithm sets the algorithm of RSA keys that do not name theirs: RS256, RS384,
// RS512, PS256, PS384 or PS512. The default is RS256. The last one given counts.
func RSAAlgorithm(name string) Option {
	return option(func(c *config) { c.rsaAlgorithm = name })
}

// OnError sets a function that is called with the error of each fetch that failed, on
// the goroutine of the fetch, at most once per minimum interval; it should log the
// error and return. The error can name the URL and quote a network error, and goes to
// operators only. The default is none. The last one given counts.
func OnError(f func(error)) Option {
	return option(func(c *config) { c.onError = f })
}

// mistake says what is wrong with the settings, or nothing.
func (c *config) mistake() string {
	switch {
	case c.interval < time.Second:
		return fmt.Sprintf("a minimum interval of %v; use at least 1s, or strangers make the service flood its issuer", c.interval)
	case c.refresh < c.interval:
		return fmt.Sprintf("keys are to be refreshed every %v, which is less than the minimum interval of %v", c.refresh, c.interval)
	case c.maxAge < c.refresh:
		return fmt.Sprintf("a maximum age of %v, which is less than the %v after which keys are refreshed", c.maxAge, c.refresh)
	case c.timeout <= 0:
		return fmt.Sprintf("a timeout of %v; use a positive one", c.timeout)
	case !strings.HasPrefix(c.rsaAlgorithm, "RS") && !strings.HasPrefix(c.rsaAlgorithm, "PS") || !hashed[c.rsaAlgorithm[2:]]:
		return fmt.Sprintf("%q is not an algorithm for RSA keys; use RS256, RS384, RS512, PS256, PS384 or PS512", c.rsaAlgorithm)
	}
	return ""
}

var hashed = map[string]bool{"256": true, "384": true, "512": true}
