package basic

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

// Reasons for refusing. They do not say whether the user exists.
var (
	errForm  = errors.New("basic: the credential is not padded base64 of <user id>:<password> in UTF-8 without control characters")
	errLong  = errors.New("basic: the user id has more than 255 bytes or the password more than 72")
	errWrong = errors.New("basic: unknown user or wrong password")
	errStore = errors.New("basic: the stored hash of the user is not one of bcrypt; make it with basic.Hash")
	errBusy  = interceptor.NewError(codes.ResourceExhausted, "basic: as many passwords are being hashed as this process allows")
)

// hashing holds a token for every hash that is being computed in this process.
var hashing = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// New returns the scheme of user ids and passwords, for [authn.New]. Its name is
// "basic". It panics for a nil store.
func New(users Store, opts ...Option) authn.Scheme {
	if users == nil {
		panic("basic.New(nil): pass a Store, such as basic.Static(users)")
	}
	c := config{realm: "service", remember: DefaultRemember}
	for _, o := range opts {
		o.apply(&c)
	}
	return authn.Authorization("Basic", newVerifier(users, c), authn.Parameter("realm", c.realm), authn.Parameter("charset", "UTF-8"))
}

// DefaultRemember is how long a right password is remembered unless [Remember] says
// otherwise.
const DefaultRemember = 5 * time.Minute

// Option changes what [New] does.
type Option interface{ apply(*config) }

type option func(*config)

func (f option) apply(c *config) { f(c) }

type config struct {
	realm    string
	remember time.Duration
}

// Realm is what browsers show people who are asked for their password. The default is
// "service"; the last one given counts. It panics for others than printable ASCII.
func Realm(realm string) Option {
	authn.Parameter("realm", realm) // panics
	return option(func(c *config) { c.realm = realm })
}

// Remember sets for how long a right password is not hashed again; 0 hashes on every
// call. The default is [DefaultRemember]; the last one given counts. It panics for a
// negative duration and for more than an hour.
func Remember(d time.Duration) Option {
	if d < 0 || d > time.Hour {
		panic(fmt.Sprintf("basic.Remember(%v): use 0 to 1h", d))
	}
	return option(func(c *config) { c.remember = d })
}

type verifier struct {
	users   Store
	proven  *memory       // nil: nothing is remembered
	hashing chan struct{} // see the variable
	compare func(hash, password []byte) error
	cost    atomic.Int64 // of the last known user's hash
}

var _ authn.Verifier = (*verifier)(nil)

func newVerifier(users Store, c config) *verifier {
	v := &verifier{users: users, hashing: hashing, compare: bcrypt.CompareHashAndPassword}
	v.cost.Store(int64(bcrypt.DefaultCost))
	if s, ok := users.(static); ok {
		v.cost.Store(s.cost())
	}
	if c.remember > 0 {
		v.proven = newMemory(c.remember)
	}
	return v
}

// Verify looks the user up on every call, so that one who was removed or has a new
// password is not admitted by memory.
func (v *verifier) Verify(ctx context.Context, credential string) (*authn.Principal, error) {
	id, password, err := parse(credential)
	if err != nil {
		return nil, err
	}
	user, known, err := v.users.Lookup(ctx, id)
	if err != nil {
		return nil, interceptor.NewError(codes.Unavailable, "the users cannot be read", interceptor.WithCause(err))
	}
	if err := v.check(ctx, id, password, user.Hash, known); err != nil {
		return nil, err
	}
	if user.Principal == nil {
		return authn.NewPrincipal(id, authn.WithScheme("basic")), nil
	}
	return user.Principal, nil
}

// check returns nil if the password is the one of a known user.
func (v *verifier) check(ctx context.Context, id, password string, hash []byte, known bool) error {
	if known {
		cost, err := bcrypt.Cost(hash)
		if err != nil {
			return errStore
		}
		v.cost.Store(int64(cost))
	} else {
		hash = dummy(v.cost.Load())
	}
	var remembered proof
	if v.proven != nil {
		remembered = v.proven.of(id, password, hash)
		if known && v.proven.has(remembered) {
			return nil
		}
	}
	err := v.hash(ctx, hash, password)
	switch {
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return errWrong
	case err != nil:
		return err
	case !known:
		return errWrong
	case v.proven != nil:
		v.proven.add(remembered)
	}
	return nil
}

// hash compares the password with the hash, unless too many do that already or
// nobody waits for it any more.
func (v *verifier) hash(ctx context.Context, hash []byte, password string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case v.hashing <- struct{}{}:
	default:
		return errBusy
	}
	defer func() { <-v.hashing }()
	return v.compare(hash, []byte(password))
}

// dummy is a well-formed bcrypt hash of that cost. Whether a password has it is
// nobody's business: an unknown user is refused either way.
func dummy(cost int64) []byte {
	return fmt.Appendf(nil, "$2a$%02d$%s", cost, "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234")
}
