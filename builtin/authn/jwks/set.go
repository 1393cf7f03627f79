package jwks

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/attempt"
	"github.com/crosscut-go/crosscut/internal/httpsget"
)

// Set is the key set behind a URL. It is made by [New] and safe for concurrent use.
type Set struct {
	url    string
	client *http.Client
	config config
	now    func() time.Time

	current atomic.Pointer[snapshot] // the last good keys; nil before
	fetches attempt.Series
}

var _ jwt.KeySet = (*Set)(nil)

// snapshot is what one fetch brought. Only fetched differs between two fetches of
// equal keys.
type snapshot struct {
	keys    map[string]jwt.Key
	version uint64
	fetched time.Time // when the fetch began: the keys are at least that new
}

// New returns the key set that is served at an https URL. It fetches nothing yet. New
// panics for another URL and for options that make no sense, with a text that says
// what to do.
func New(url string, opts ...Option) *Set {
	if err := httpsget.CheckURL(url); err != nil {
		panic("jwks.New: the URL of the key set: " + err.Error())
	}
	c := defaults
	for _, o := range opts {
		if o == nil {
			panic("jwks.New: an option is nil; leave it out")
		}
		o.apply(&c)
	}
	if mistake := c.mistake(); mistake != "" {
		panic("jwks.New: " + mistake)
	}
	s := &Set{url: url, client: httpsget.Client(c.client, c.timeout), config: c, now: time.Now}
	s.fetches = attempt.Series{What: "jwks: fetching the key set", Interval: c.interval, Try: s.fetch, Failed: c.onError}
	return s
}

// Key returns the key of that id. It waits for a fetch, until ctx ends, only if it has
// no usable keys or none of that id, and only if a fetch may start or is under way.
// Its errors are [jwt.ErrUnknownKey], the end of ctx, and one with the status
// UNAVAILABLE whose cause says why there are no keys.
func (s *Set) Key(ctx context.Context, kid string) (jwt.Key, error) {
	k, ok := s.find(kid)
	if ok {
		return k, nil
	}
	if err := s.fetches.Await(ctx); err != nil {
		return jwt.Key{}, err
	}
	if k, ok = s.find(kid); ok {
		return k, nil
	}
	return jwt.Key{}, s.missing()
}

// Version is 0 until the first success and after the maximum age.
func (s *Set) Version() uint64 {
	if c := s.usable(); c != nil {
		return c.version
	}
	return 0
}

// Refresh fetches the keys, or waits for the fetch that is under way. Programs call it
// once at start-up if they would rather not start without keys. It returns why the
// latest fetch failed, or the end of ctx; within the minimum interval after a fetch it
// returns the outcome of that one.
func (s *Set) Refresh(ctx context.Context) error {
	if err := s.fetches.Await(ctx); err != nil {
		return err
	}
	return s.fetches.Failure()
}

func (s *Set) find(kid string) (jwt.Key, bool) {
	c := s.usable()
	if c == nil {
		return jwt.Key{}, false
	}
	k, ok := c.keys[kid]
	return k, ok
}

// usable returns the keys unless they are too old, and starts a fetch in good time
// before they are.
func (s *Set) usable() *snapshot {
	c := s.current.Load()
	if c == nil {
		return nil
	}
	age := s.now().Sub(c.fetched)
	if age >= s.config.refresh {
		s.fetches.Begin()
	}
	if age >= s.config.maxAge {
		return nil
	}
	return c
}

// missing is the error for a key that is not there, when no fetch can change that now.
func (s *Set) missing() error {
	failure := s.fetches.Failure()
	c := s.current.Load()
	tooOld := c == nil || s.now().Sub(c.fetched) >= s.config.maxAge
	switch {
	case failure != nil:
	case tooOld:
		failure = errTooOld
	default:
		return jwt.ErrUnknownKey
	}
	return interceptor.NewError(codes.Unavailable, "the keys of the issuer are not available", interceptor.WithCause(failure))
}

var errTooOld = errors.New("jwks: the keys are older than the maximum age, and the minimum interval has not passed since the last fetch")

// fetch fetches the keys and makes them the current ones. It is for every call that
// waits, so it has the context of none, and ends by the timeout of the client.
func (s *Set) fetch(began time.Time) error {
	keys, err := fetch(context.Background(), s.client, s.url, s.config.rsaAlgorithm)
	if err == nil {
		s.replace(keys, began)
	}
	return err
}

// replace makes keys the current ones. Their version is that of the ones before if
// they are equal, so that verified tokens need not be verified again. Only one fetch
// at a time calls it.
func (s *Set) replace(keys map[string]jwt.Key, began time.Time) {
	next := &snapshot{keys: keys, version: 1, fetched: began}
	if last := s.current.Load(); last != nil {
		next.version = last.version
		if !equal(last.keys, keys) {
			next.version++
		}
	}
	s.current.Store(next)
}
