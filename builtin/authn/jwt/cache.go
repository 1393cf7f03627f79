package jwt

import (
	"crypto/sha256"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/crosscut-go/crosscut/builtin/authn"
)

// maxRemembered is how long a verified token is good without a look at its
// signature.
const maxRemembered = 5 * time.Minute

// digest is what a token is remembered under: the token itself is not kept.
type digest [sha256.Size]byte

// digestOf hashes a token, most of them without an allocation.
func digestOf(token string) digest {
	var space [2 << 10]byte
	return sha256.Sum256(append(space[:0], token...))
}

// verified is a token that has been verified.
type verified struct {
	principal *authn.Principal
	version   uint64 // of the key set it was verified with
	until     time.Time
}

// cache remembers verified tokens. It has a bound, and no timer: what has expired is
// noticed when it is asked for and evicted when it is in the way, so there is no
// goroutine to stop. A nil cache remembers nothing.
type cache struct {
	tokens  *otter.Cache[digest, verified]
	version atomic.Uint64 // of the key set when the cache was last emptied
}

func newCache(size int) *cache {
	if size == 0 {
		return nil
	}
	return &cache{tokens: otter.Must(&otter.Options[digest, verified]{MaximumSize: size})}
}

// get returns the principal of a token that was verified with this version of the key
// set and has not expired since.
func (c *cache) get(d digest, version uint64, now time.Time) (*authn.Principal, bool) {
	if c == nil || version == 0 {
		return nil, false
	}
	v, ok := c.tokens.GetIfPresent(d)
	if !ok || v.version != version || !now.Before(v.until) {
		return nil, false
	}
	return v.principal, true
}

// put remembers a token until its expiry. version is that of the key set before the
// key was looked up: if it has changed since, the entry is useless, not wrong.
func (c *cache) put(d digest, p *authn.Principal, version uint64, now, expiry time.Time) {
	if c == nil || version == 0 || !now.Before(expiry) {
		return
	}
	if last := c.version.Swap(version); last != version {
		c.tokens.InvalidateAll() // of no use any more; the memory is
	}
	if latest := now.Add(maxRemembered); expiry.After(latest) {
		expiry = latest
	}
	c.tokens.Set(d, verified{p, version, expiry})
}
