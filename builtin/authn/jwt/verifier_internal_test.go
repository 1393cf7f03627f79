package jwt

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// start is when the clock of these tests stands.
var start = time.Unix(1_800_000_000, 0)

// rotating is a key set whose contents tests change.
type rotating struct {
	version atomic.Uint64
	key     Key
	err     error
	asked   int
}

func (r *rotating) Version() uint64 { return r.version.Load() }

func (r *rotating) Key(_ context.Context, kid string) (Key, error) {
	r.asked++
	return r.key, r.err
}

// at returns a verifier whose clock tests move, and its key set.
func at(now *time.Time, opts ...Option) (*Verifier, *rotating) {
	k := tokentest.Ed25519()
	keys := &rotating{key: Key{ID: k.ID, Algorithm: k.Algorithm, Public: k.Public()}}
	keys.version.Store(1)
	v := New(keys, append([]Option{Issuer("i"), Audience("a")}, opts...)...)
	v.now = func() time.Time { return *now }
	return v, keys
}

// token is a token whose times are seconds from start.
func token(times map[string]float64) string {
	claims := map[string]any{"iss": "i", "aud": "a", "sub": "alice", "exp": start.Unix() + 3600}
	for name, seconds := range times {
		claims[name] = float64(start.Unix()) + seconds
	}
	return tokentest.Ed25519().Token(claims)
}

// TestTimesAtTheEdge checks that the skew is applied once to every time.
func TestTimesAtTheEdge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		opts  []Option
		times map[string]float64
		want  error
	}{
		{"expired within the skew", nil, map[string]float64{"exp": -29}, nil},
		{"expired at the skew", nil, map[string]float64{"exp": -30}, errExpired},
		{"expired beyond the skew", nil, map[string]float64{"exp": -31}, errExpired},
		{"no skew", []Option{Skew(0)}, map[string]float64{"exp": 1}, nil},
		{"expired without skew", []Option{Skew(0)}, map[string]float64{"exp": 0}, errExpired},
		{"a fraction", []Option{Skew(0)}, map[string]float64{"exp": 0.5}, nil},
		{"not yet, within the skew", nil, map[string]float64{"nbf": 30}, nil},
		{"not yet", nil, map[string]float64{"nbf": 31}, errNotYet},
		{"issued ahead, within the skew", nil, map[string]float64{"iat": 30}, nil},
		{"issued ahead", nil, map[string]float64{"iat": 31}, errIssuedAt},
		{"longest life", []Option{MaxLifetime(time.Hour)}, map[string]float64{"iat": -60, "exp": 3540}, nil},
		{"too long a life", []Option{MaxLifetime(time.Hour)}, map[string]float64{"iat": -60, "exp": 3541}, errTooLasting},
		{"longest life without iat", []Option{MaxLifetime(time.Hour)}, map[string]float64{"exp": 3600}, nil},
		{"too long a life without iat", []Option{MaxLifetime(time.Hour)}, map[string]float64{"exp": 3601}, errTooLasting},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := start
			v, _ := at(&now, tt.opts...)
			p, err := v.Verify(t.Context(), token(tt.times))
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, %v; want %v", p, err, tt.want)
			}
			if exp, ok := tt.times["exp"]; ok && err == nil {
				want := start.Add(time.Duration(exp * float64(time.Second))).Add(v.rules.skew)
				if !p.Expiry().Equal(want) {
					t.Errorf("the principal expires %v, want exp and the skew, %v", p.Expiry(), want)
				}
			}
		})
	}
}

// TestRemembered checks how long a verified token is good without its signature.
func TestRemembered(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		exp    float64
		opts   []Option
		change func(now *time.Time, keys *rotating)
		asked  int
		want   error
	}{
		{"at once", 3600, nil, func(*time.Time, *rotating) {}, 1, nil},
		{"just before five minutes", 3600, nil, func(now *time.Time, _ *rotating) { *now = now.Add(5*time.Minute - 1) }, 1, nil},
		{"after five minutes", 3600, nil, func(now *time.Time, _ *rotating) { *now = now.Add(5 * time.Minute) }, 2, nil},
		{"just before exp", 60, nil, func(now *time.Time, _ *rotating) { *now = now.Add(time.Minute - 1) }, 1, nil},
		{"after exp, within the skew", 60, nil, func(now *time.Time, _ *rotating) { *now = now.Add(time.Minute) }, 2, nil},
		{"after exp and the skew", 60, nil, func(now *time.Time, _ *rotating) { *now = now.Add(2 * time.Minute) }, 2, errExpired},
		{"first seen after exp", -10, nil, func(*time.Time, *rotating) {}, 2, nil},
		{"the keys changed", 3600, nil, func(_ *time.Time, keys *rotating) { keys.version.Store(2) }, 2, nil},
		{"the key was removed", 3600, nil, func(_ *time.Time, keys *rotating) { keys.version.Store(2); keys.err = ErrUnknownKey }, 2, ErrUnknownKey},
		{"no key may be used", 3600, nil, func(_ *time.Time, keys *rotating) { keys.version.Store(0); keys.err = ErrUnknownKey }, 2, ErrUnknownKey},
		{"no cache", 3600, []Option{CacheSize(0)}, func(*time.Time, *rotating) {}, 2, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := start
			v, keys := at(&now, tt.opts...)
			first := token(map[string]float64{"exp": tt.exp})
			if _, err := v.Verify(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			tt.change(&now, keys)
			if _, err := v.Verify(t.Context(), first); !errors.Is(err, tt.want) || keys.asked != tt.asked {
				t.Errorf("%v, the key set was asked %d times; want %v, %d", err, keys.asked, tt.want, tt.asked)
			}
		})
	}
}

// TestRefusedIsNotRemembered checks that a token gets better when its key appears, and
// that strangers cannot fill the cache.
func TestRefusedIsNotRemembered(t *testing.T) {
	t.Parallel()
	now := start
	v, keys := at(&now)
	keys.err = ErrUnknownKey
	good := token(nil)
	if _, err := v.Verify(t.Context(), good); !errors.Is(err, ErrUnknownKey) {
		t.Fatal(err)
	}
	bad := good[:strings.LastIndexByte(good, '.')+1] + tokentest.Encode(strings.Repeat("x", 64))
	keys.err = nil
	if _, err := v.Verify(t.Context(), bad); !errors.Is(err, errSignature) {
		t.Fatal(err)
	}
	if n := v.cache.tokens.EstimatedSize(); n != 0 {
		t.Errorf("%d tokens are remembered", n)
	}
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Error(err)
	}
}

// TestCacheIsBoundedAndEmptied fills the cache beyond its size, and changes the keys.
func TestCacheIsBoundedAndEmptied(t *testing.T) {
	t.Parallel()
	c := newCache(100)
	for i := range 10_000 {
		c.put(digest(sha256.Sum256([]byte{byte(i), byte(i >> 8)})), nil, 1, start, start.Add(time.Hour))
	}
	c.tokens.CleanUp()
	if n := c.tokens.EstimatedSize(); n == 0 || n > 100 {
		t.Errorf("%d tokens are remembered, want at most 100", n)
	}
	c.put(digest{}, nil, 2, start, start.Add(time.Hour))
	if n := c.tokens.EstimatedSize(); n != 1 {
		t.Errorf("%d tokens are remembered after the keys changed, want the new one", n)
	}
	c.put(digest{1}, nil, 0, start, start.Add(time.Hour))
	if _, ok := c.get(digest{}, 2, start); !ok || c.tokens.EstimatedSize() != 1 {
		t.Errorf("a token was remembered while no key may be used")
	}
}

// TestKeySetErrors checks what passes through and what is checked again.
func TestKeySetErrors(t *testing.T) {
	t.Parallel()
	now := start
	down := interceptor.NewError(codes.Unavailable, "down")
	good := tokentest.Ed25519()
	for name, tt := range map[string]struct {
		key  Key
		err  error
		want error
	}{
		"unavailable":           {err: down, want: down},
		"another key":           {key: Key{ID: "k9", Algorithm: "EdDSA", Public: good.Public()}, want: errKey},
		"no key and no error":   {want: errKey},
		"a key that is no good": {key: Key{ID: "k3", Algorithm: "EdDSA", Public: []byte("secret")}, want: errKey},
		"another algorithm":     {key: Key{ID: "k3", Algorithm: "ES256", Public: tokentest.ECDSA().Public()}, want: errKey},
	} {
		v, keys := at(&now)
		keys.key, keys.err = tt.key, tt.err
		if _, err := v.Verify(t.Context(), token(nil)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// TestLateKeys checks that the time a key set takes counts: a token that expires
// meanwhile is not good.
func TestLateKeys(t *testing.T) {
	t.Parallel()
	now := start
	v, keys := at(&now)
	v.keys = slow{keys, func() { now = now.Add(2 * time.Hour) }}
	if _, err := v.Verify(t.Context(), token(nil)); !errors.Is(err, errExpired) {
		t.Errorf("%v; want %v", err, errExpired)
	}
}

type slow struct {
	KeySet
	wait func()
}

func (s slow) Key(ctx context.Context, kid string) (Key, error) {
	s.wait()
	return s.KeySet.Key(ctx, kid)
}
