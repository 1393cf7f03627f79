package oidc

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/attempt"
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

	found       atomic.Pointer[jwt.Verifier] // nil before the discovery has succeeded
	discoveries attempt.Series
}

var _ authn.Verifier = (*Verifier)(nil)

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
	v := &Verifier{issuer: issuer, audience: audience, config: config{timeout: defaultTimeout}}
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
	v.discoveries = attempt.Series{What: "oidc: discovery", Interval: interval, Try: v.discoverOnce}
	v.make("https://unused.invalid", nil) // finds every mistake in the options now
	if v.config.lazy {
		return v, nil
	}
	if err := v.discoveries.Await(ctx); err != nil {
		return nil, fmt.Errorf("oidc: no answer from the issuer %s before the context ended; check that it is reachable: %w", issuer, err)
	}
	if v.found.Load() == nil {
		return nil, v.discoveries.Failure()
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
	if err := v.discoveries.Await(ctx); err != nil {
		return nil, err
	}
	if found := v.found.Load(); found != nil {
		return found.Verify(ctx, token)
	}
	return nil, interceptor.NewError(codes.Unavailable, "the issuer is not available", interceptor.WithCause(v.discoveries.Failure()))
}

// discoverOnce discovers unless that has succeeded: a call that found nothing may begin
// an attempt just after another one found it.
func (v *Verifier) discoverOnce(time.Time) error {
	if v.found.Load() != nil {
		return nil
	}
	return v.discover()
}
