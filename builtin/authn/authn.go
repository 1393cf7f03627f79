package authn

import (
	"context"
	"fmt"
	"time"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Key holds the principal of a call once the hook has agreed to it. It is never
// set to nil by this package.
var Key = interceptor.NewKey[*Principal]("principal")

// From returns the principal of the call that ctx belongs to; handlers use it. It
// reports false on calls that no authentication hook ran on.
func From(ctx context.Context) (*Principal, bool) {
	p, ok := Key.From(ctx)
	return p, ok && p != nil
}

// New returns the hook that authenticates calls by the given schemes. A call must
// carry the credential of exactly one of them. New panics without a scheme, for a
// zero Scheme, and for two schemes of one name: the second would never be asked.
func New(schemes ...Scheme) interceptor.Hook {
	if len(schemes) == 0 {
		panic("authn.New(): no scheme; pass at least one, such as authn.Bearer(verifier)")
	}
	h := &hook{schemes: append([]Scheme(nil), schemes...)}
	seen := map[string]bool{}
	for i, s := range schemes {
		if s.verifier == nil {
			panic(fmt.Sprintf("authn.New: scheme %d is the zero Scheme; make it with authn.Bearer or authn.Authorization", i+1))
		}
		if seen[s.name] {
			panic(fmt.Sprintf("authn.New: two schemes are named %q; pass one Verifier that knows both kinds of credential", s.name))
		}
		seen[s.name] = true
	}
	h.refusals = newRefusals(schemes)
	return h
}

type hook struct {
	interceptor.Base
	schemes  []Scheme
	refusals refusals
}

var (
	_ interceptor.Named    = (*hook)(nil)
	_ interceptor.Provider = (*hook)(nil)
	_ interceptor.Decider  = (*hook)(nil)
)

// Name returns "authn".
func (h *hook) Name() string { return "authn" }

// Provides returns [Key].
func (h *hook) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{Key} }

// Decides marks the hook as one that decides access.
func (h *hook) Decides() {}

// BeforeHandler lets the call pass with a principal, or refuses it.
func (h *hook) BeforeHandler(ctx context.Context, call *interceptor.Call, method *interceptor.Method) (context.Context, error) {
	p, err := h.authenticate(ctx, call)
	if err != nil {
		return nil, err
	}
	if expiry := p.Expiry(); !expiry.IsZero() {
		if !time.Now().Before(expiry) {
			return nil, h.refusals.of(expired)
		}
		if mayStream(method) {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadlineCause(ctx, expiry, h.refusals.of(expiredMeanwhile))
			call.Defer(cancel)
		}
	}
	Key.Set(call, p)
	return ctx, nil
}

func (h *hook) authenticate(ctx context.Context, call *interceptor.Call) (*Principal, error) {
	// Any case would do; in lower case neither transport has to fold it.
	s, credential, why := find(h.schemes, call.RequestHeader().Values("authorization"))
	if why != none {
		return nil, h.refusals.of(why)
	}
	p, err := s.verify(ctx, credential)
	if err != nil {
		return nil, h.judge(ctx, credential, err)
	}
	if p == nil || p.subject == "" {
		return nil, h.refusals.of(nobody)
	}
	return p.stamped(s.name), nil
}

// mayStream tells whether a call of the method may outlive its credential by
// design. What has no descriptor could be anything: a plain handler may send
// events for hours.
func mayStream(method *interceptor.Method) bool {
	return method.Kind() != interceptor.Unary || method.Descriptor() == nil
}
