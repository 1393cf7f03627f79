package oidc

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpsget"
)

const (
	interval       = 30 * time.Second // between the starts of two attempts at discovery
	defaultTimeout = 5 * time.Second  // of one attempt
)

// Verifier verifies the tokens of one provider. It is made by [New], goes into
// authn.Bearer, and is safe for concurrent use.
type Verifier struct {
	issuer   string
	audience string
	config   config
	client   *http.Client
	now      func() time.Time

	found atomic.Pointer[jwt.Verifier] // nil before the discovery has succeeded

	mu        sync.Mutex
	attempt   *attempt  // the one that is under way
	attempted time.Time // when the latest one began
	failure   error     // of the latest one that ended
}

var _ authn.Verifier = (*Verifier)(nil)

// attempt is one discovery that any number of calls wait for.
type attempt struct{ done chan struct{} }

// New returns the verifier of tokens that the issuer has made for the audience. The
// issuer is an https URL, the same text that its tokens have in iss.
//
// New reads the discovery document, for as long as ctx lets it and at most the
// [Timeout], and fails if that does; with [Lazy] it does not try. It fetches no keys. It
// panics for an issuer that is no https URL, an empty audience, and options that make
// no sense: a restart would not help.
func New(ctx context.Context, issuer, audience string, opts ...Option) (*Verifier, error) {
	if err := httpsget.CheckURL(issuer); err != nil {
		panic("oidc.New: the issuer: " + err.Error())
	}
	v := &Verifier{issuer: issuer, audience: audience, config: config{timeout: defaultTimeout}, now: time.Now}
	for _, o := range opts {
		if o == nil {
			panic("oidc.New: an option is nil; leave it out")
		}
		o.apply(&v.config)
	}
	if v.config.timeout <= 0 {
		panic(fmt.Sprintf("oidc.New: a timeout of %v; use a positive one", v.config.timeout))
	}
	v.client = httpsget.Client(v.config.client, v.config.timeout)
	v.make("https://unused.invalid", nil) // finds every mistake in the options now
	if v.config.lazy {
		return v, nil
	}
	if err := v.await(ctx); err != nil {
		return nil, fmt.Errorf("oidc: no answer from the issuer %s before the context ended; check that it is reachable: %w", issuer, err)
	}
	if v.found.Load() == nil {
		return nil, v.failure
	}
	return v, nil
}

// Verify returns the principal that a token stands for, by the rules of package jwt.
// While there is no discovery document it waits for the attempt that is under way,
// until ctx ends, and fails with the status UNAVAILABLE.
func (v *Verifier) Verify(ctx context.Context, token string) (*authn.Principal, error) {
	if found := v.found.Load(); found != nil {
		return found.Verify(ctx, token)
	}
	if err := v.await(ctx); err != nil {
		return nil, err
	}
	if found := v.found.Load(); found != nil {
		return found.Verify(ctx, token)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return nil, interceptor.NewError(codes.Unavailable, "the issuer is not available", interceptor.WithCause(v.failure))
}

// await starts an attempt if it may, and waits for the one that is under way, if any.
func (v *Verifier) await(ctx context.Context) error {
	a := v.begin()
	if a == nil {
		return nil
	}
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin returns the attempt that is under way: one that runs already, one that it
// starts, or nil while the interval has not passed or nothing is left to find.
func (v *Verifier) begin() *attempt {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	switch {
	case v.attempt != nil:
		return v.attempt
	case v.found.Load() != nil, !v.attempted.IsZero() && now.Sub(v.attempted) < interval:
		return nil
	}
	v.attempted = now
	v.attempt = &attempt{make(chan struct{})}
	// Not a call's context: the attempt is for every call that waits, and ends by its
	// own timeout.
	go v.run(v.attempt)
	return v.attempt
}

func (v *Verifier) run(a *attempt) {
	var err error
	defer func() {
		if p := recover(); p != nil { // what a server sends must not end the program
			err = fmt.Errorf("oidc: discovery panicked: %v", p)
		}
		v.mu.Lock()
		v.failure, v.attempt = err, nil
		v.mu.Unlock()
		close(a.done)
	}()
	err = v.discover()
}
