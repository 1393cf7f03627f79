package jwt

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	defaultSkew        = 30 * time.Second
	maxSkew            = 5 * time.Minute
	defaultMaxLifetime = 366 * 24 * time.Hour
	defaultCacheSize   = 10_000
)

// rules are what a token is held against. They do not change after New.
type rules struct {
	issuer      string
	audiences   []string
	algorithms  map[string]bool
	types       map[string]bool // in lower case, without "application/"
	skew        time.Duration
	maxLifetime time.Duration
	scopes      []string // names of claims
	roles       []string // path of a claim
	cacheSize   int
}

func defaultRules() *rules {
	r := &rules{
		types:       map[string]bool{"jwt": true, "at+jwt": true},
		skew:        defaultSkew,
		maxLifetime: defaultMaxLifetime,
		scopes:      []string{"scope", "scp"},
		roles:       []string{"roles"},
		cacheSize:   defaultCacheSize,
	}
	r.allow(algorithms)
	return r
}

func (r *rules) allow(names []string) {
	r.algorithms = make(map[string]bool, len(names))
	for _, name := range names {
		r.algorithms[name] = true
	}
}

// accepts tells whether a token may have this typ. Media types ignore case, and
// leave "application/" out (RFC 7515 section 4.1.9).
func (r *rules) accepts(typ any) bool {
	name, ok := typ.(string)
	return ok && r.types[mediaType(name)]
}

func mediaType(name string) string {
	return strings.TrimPrefix(strings.ToLower(name), "application/")
}

// Option changes what [New] makes.
type Option interface{ apply(*rules) }

type option func(*rules)

func (f option) apply(r *rules) { f(r) }

// Issuer names who issues the tokens, compared with iss byte by byte. It is
// required. The last one given counts: one issuer has one key set, and a service
// that trusts two has two verifiers.
func Issuer(issuer string) Option {
	return option(func(r *rules) { r.issuer = issuer })
}

// Audience names what this service is called in aud, compared byte by byte. It is
// required: a token minted for another service must not be good here. A token for
// any one of several audiences is accepted; repeating the option adds more.
func Audience(audiences ...string) Option {
	return option(func(r *rules) { r.audiences = append(r.audiences, audiences...) })
}

// Algorithms restricts which algorithms are accepted. The default is every one that
// [Key] lists, each with its own keys only. The last one given counts.
func Algorithms(names ...string) Option {
	return option(func(r *rules) { r.allow(names) })
}

// Types sets which values of typ are accepted, ignoring case and a leading
// "application/". The default is "JWT" and "at+jwt" (RFC 9068). Tokens without typ
// are always accepted. The last one given counts; without a name, no typ is.
func Types(names ...string) Option {
	return option(func(r *rules) {
		r.types = make(map[string]bool, len(names))
		for _, name := range names {
			r.types[mediaType(name)] = true
		}
	})
}

// Skew sets how far the clocks of the issuer and this service may differ: exp counts
// that much later, nbf and iat that much earlier. The default is 30 seconds, the most
// is 5 minutes. The last one given counts.
func Skew(skew time.Duration) Option {
	return option(func(r *rules) { r.skew = skew })
}

// MaxLifetime sets how long a token may live, from iat (or from now, without) to
// exp. The default is 366 days; a few minutes are good practice. The last one given
// counts.
func MaxLifetime(d time.Duration) Option {
	return option(func(r *rules) { r.maxLifetime = d })
}

// Scopes sets the names of the claims that scopes are read from: the first that is
// there counts, alone. A text is split at blanks, an array of texts is taken as it
// is, and anything else stands for no scope. The default is "scope" and "scp"; the
// last one given counts, and without a name there are no scopes.
func Scopes(claims ...string) Option {
	return option(func(r *rules) { r.scopes = slices.Clone(claims) })
}

// Roles sets where roles are read from: a claim, or with more than one name a member
// of an object, such as Roles("realm_access", "roles"). It has to be an array of
// texts; anything else stands for no role. The default is "roles". The last one given
// counts, and without a name there are no roles.
func Roles(path ...string) Option {
	return option(func(r *rules) { r.roles = slices.Clone(path) })
}

// CacheSize sets how many verified tokens are remembered. The default is 10,000; 0
// remembers none. One takes a few times the memory of the token. The last one given
// counts.
func CacheSize(tokens int) Option {
	return option(func(r *rules) { r.cacheSize = tokens })
}

// mistake says what is wrong with the rules, or nothing.
func (r *rules) mistake() string {
	for name := range r.algorithms {
		if !slices.Contains(algorithms, name) {
			return fmt.Sprintf("%q is not an algorithm that is accepted here; use some of %v", name, algorithms)
		}
	}
	switch {
	case r.issuer == "":
		return "no issuer; pass jwt.Issuer with the text that tokens have in iss"
	case len(r.audiences) == 0 || slices.Contains(r.audiences, ""):
		return "no audience, or an empty one; pass jwt.Audience with what this service is called in aud"
	case len(r.algorithms) == 0:
		return "jwt.Algorithms has no algorithm, so every token would be refused; leave it out to accept all"
	case r.skew < 0 || r.skew > maxSkew:
		return fmt.Sprintf("a skew of %v; use 0 to %v, and let the clocks be set", r.skew, maxSkew)
	case r.maxLifetime <= 0:
		return fmt.Sprintf("a maximum lifetime of %v; use a positive one", r.maxLifetime)
	case r.cacheSize < 0:
		return fmt.Sprintf("a cache of %d tokens; use 0 for none", r.cacheSize)
	}
	return ""
}
