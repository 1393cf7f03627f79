package authn

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/builtin/policy"
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
// zero Scheme, for two schemes of one name, and for two that are read from the same
// place: the second would never be asked.
func New(schemes ...Scheme) interceptor.Hook {
	if len(schemes) == 0 {
		panic("authn.New(): no scheme; pass at least one, such as authn.Bearer(verifier)")
	}
	schemes = append([]Scheme(nil), schemes...)
	seen := map[string]bool{}
	for i, s := range schemes {
		if s.name == "" {
			panic(fmt.Sprintf("authn.New: scheme %d is the zero Scheme; make it with authn.Bearer or authn.Authorization", i+1))
		}
		if seen[s.name] {
			panic(fmt.Sprintf("authn.New: two schemes are named %q; pass one Verifier that knows both kinds of credential", s.name))
		}
		seen[s.name] = true
	}
	return &hook{places: newPlaces(schemes), refusals: newRefusals(schemes)}
}

type hook struct {
	interceptor.Base
	places   []place
	refusals refusals
	alone    sync.Once // the warning of DecidesLast
}

var (
	_ interceptor.Named       = (*hook)(nil)
	_ interceptor.Provider    = (*hook)(nil)
	_ interceptor.LastDecider = (*hook)(nil)
	_ interceptor.Enforcer    = (*hook)(nil)
)

// Name returns "authn".
func (h *hook) Name() string { return "authn" }

// Provides returns [Key].
func (h *hook) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{Key} }

// Decides marks the hook as one that decides access.
func (h *hook) Decides() {}

// DecidesLast warns, once, that nothing further in decides what callers may do.
func (h *hook) DecidesLast(method *interceptor.Method) {
	h.alone.Do(func() {
		slog.Warn("no authorization hook: every authenticated caller may call every method; list one after authn", slog.String("method", method.Name()))
	})
}

// Enforces names what the hook reads of a policy.
func (h *hook) Enforces() []protoreflect.FullName {
	return []protoreflect.FullName{"crosscut.policy.v1.Policy.access", "crosscut.policy.v1.Policy.schemes"}
}

// BeforeHandler lets the call pass with a principal, or refuses it. A call of a
// public method passes as nobody.
func (h *hook) BeforeHandler(ctx context.Context, call *interceptor.Call, method *interceptor.Method) (context.Context, error) {
	declared, known := policy.Key.Get(call)
	if declared.Public() {
		return ctx, nil
	}
	c, why := h.find(call)
	if why == none && known && !declared.AcceptsScheme(c.scheme.name) {
		why = unaccepted
	}
	if why != none {
		return nil, h.refusals.of(why)
	}
	p, err := h.verify(ctx, c)
	if err != nil {
		return nil, err
	}
	Key.Set(call, p)
	return h.until(ctx, call, method, p.Expiry()), nil
}

// verify returns the principal that the credential stands for at this moment.
func (h *hook) verify(ctx context.Context, c credential) (*Principal, error) {
	p, err := c.scheme.verify(ctx, c)
	if err != nil {
		return nil, h.judge(ctx, c.text, err)
	}
	if p == nil || p.subject == "" {
		return nil, h.refusals.of(nobody)
	}
	if expiry := p.Expiry(); !expiry.IsZero() && !time.Now().Before(expiry) {
		return nil, h.refusals.of(expired)
	}
	return p.stamped(c.scheme.name), nil
}

// until returns the context of a call whose principal expires.
func (h *hook) until(ctx context.Context, call *interceptor.Call, method *interceptor.Method, expiry time.Time) context.Context {
	call.ValidUntil(expiry, h.refusals.of(expiredMeanwhile)) // a message may be held back
	if expiry.IsZero() || !mayStream(method) {
		return ctx
	}
	ctx, cancel := context.WithDeadlineCause(ctx, expiry, h.refusals.of(expiredMeanwhile))
	call.Defer(cancel)
	return ctx
}

// mayStream tells whether a call of the method may outlive its credential by
// design. What has no descriptor could be anything: a plain handler may send
// events for hours.
func mayStream(method *interceptor.Method) bool {
	return method.Kind() != interceptor.Unary || method.Descriptor() == nil
}
