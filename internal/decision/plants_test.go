package decision_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/decision"
)

type (
	pol     = *decision.Policy
	demand  = decision.Demand
	noticed struct {
		cases int
		by    *disagreement
	}
)

// misreadings are bugs of reading a policy.
var misreadings = []plant{
	{name: "the service's policy is ignored", demand: func(p pol, d demand) demand {
		if _, own, _ := p.Blocks(); own != nil {
			d, _ = decision.Sum(own)
		}
		return d
	}},
	{name: "the method's policy is ignored where its service has one", demand: func(p pol, d demand) demand {
		if service, _, _ := p.Blocks(); service != nil {
			d, _ = decision.Sum(service)
		}
		return d
	}},
	{name: "a method that sets access adds to its service", demand: func(p pol, d demand) demand {
		service, own, _ := p.Blocks()
		if both, ok := decision.Sum(service, own); ok && both.Access == decision.Authenticated && d.Access == decision.Authenticated {
			return both
		}
		return d
	}},
	{name: "any of the scopes will do", demand: func(_ pol, d demand) demand {
		d.Scopes = d.Scopes[:min(1, len(d.Scopes))]
		return d
	}},
	{name: "scopes are not checked", demand: func(_ pol, d demand) demand { d.Scopes = nil; return d }},
	{name: "roles are not checked", demand: func(_ pol, d demand) demand { d.Roles = nil; return d }},
	{name: "all roles of a set are needed", demand: func(_ pol, d demand) demand {
		all := [][]string{}
		for _, anyOf := range d.Roles {
			for _, r := range anyOf {
				all = append(all, []string{r})
			}
		}
		d.Roles = all
		return d
	}},
	{name: "roles of service and method are one set", demand: func(_ pol, d demand) demand {
		if len(d.Roles) > 1 {
			d.Roles = [][]string{union(d.Roles[0], d.Roles[1])}
		}
		return d
	}},
	{name: "the list of schemes is not checked", demand: func(_ pol, d demand) demand { d.Schemes = nil; return d }},
	{name: "schemes of service and method are united", demand: func(p pol, d demand) demand {
		if service, own, _ := p.Blocks(); service != nil && own != nil && own.Access == decision.Unsaid && len(service.Schemes) > 0 && len(own.Schemes) > 0 {
			d.Schemes = union(service.Schemes, own.Schemes)
		}
		return d
	}},
	{name: "conditions are not checked", demand: func(_ pol, d demand) demand { d.Conditions = nil; return d }},
	{name: "conditions about the message are not checked", demand: func(_ pol, d demand) demand {
		d.Conditions = slices.DeleteFunc(slices.Clone(d.Conditions), (*decision.Expr).ReadsRequest)
		return d
	}},
	{name: "the second condition is not checked", demand: func(_ pol, d demand) demand {
		d.Conditions = d.Conditions[:min(1, len(d.Conditions))]
		return d
	}},
	{name: "one true condition is enough", demand: func(_ pol, d demand) demand {
		if len(d.Conditions) == 2 {
			d.Conditions = []*decision.Expr{{Op: decision.Or, Args: d.Conditions}}
		}
		return d
	}},
	{name: "public wins over denied", demand: func(_ pol, d demand) demand {
		if d.Access == decision.Denied {
			d.Access = decision.Public
		}
		return d
	}},
	{name: "credentials are needed on public methods", demand: func(_ pol, d demand) demand {
		if d.Access == decision.Public {
			d.Access = decision.Authenticated
		}
		return d
	}},
	{name: "what nobody declared is open to every known caller", demand: func(_ pol, d demand) demand {
		d.Access = max(d.Access, decision.Public+decision.Access(1))
		return d
	}},
}

// misjudgements are bugs of what a credential is worth, and of comparing what its caller has.
var misjudgements = []plant{
	{name: "expired credentials count", judge: verdict(decision.Expired, decision.Good)},
	{name: "a caller needs no subject", judge: func(t *decision.Token) {
		if t.Verdict == decision.Nameless {
			t.Caller.Subject = "anonymous"
		}
	}},
	{name: "a verifier that cannot decide agrees", judge: verdict(decision.Unreachable, decision.Good)},
	{name: "a verifier that cannot decide refuses for good", judge: verdict(decision.Unreachable, decision.Forged)},
	{name: "forged credentials count", judge: verdict(decision.Forged, decision.Good)},
	{name: "scopes are compared without case", judge: func(t *decision.Token) {
		add(&t.Caller.Scopes, func(s string) []string { return []string{strings.ToLower(s), strings.Replace(s, "a.", "A.", 1)} })
	}},
	{name: "a longer scope covers its prefixes", judge: func(t *decision.Token) {
		add(&t.Caller.Scopes, func(s string) []string { return []string{strings.TrimSuffix(s, "write"), s[:1]} })
	}},
	{name: "scopes are split at commas and spaces", judge: func(t *decision.Token) {
		add(&t.Caller.Scopes, func(s string) []string {
			return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
		})
	}},
	{name: "a scope may have a wildcard", judge: func(t *decision.Token) {
		if slices.Contains(t.Caller.Scopes, "a.*") {
			t.Caller.Scopes = append(t.Caller.Scopes, "a.read", "a.write")
		}
	}},
	{name: "roles are trimmed", judge: func(t *decision.Token) {
		add(&t.Caller.Roles, func(r string) []string { return []string{strings.TrimSpace(r)} })
	}},
	{name: "roles are compared without case", judge: func(t *decision.Token) {
		add(&t.Caller.Roles, func(r string) []string {
			return []string{strings.ToLower(r), strings.ReplaceAll(strings.ToLower(r), "adm", "Adm")}
		})
	}},
	{name: "a claim that is missing is a zero value", judge: func(t *decision.Token) {
		claims := map[string]any{"team": "", "level": 0.0, "verified": false}
		for name, value := range t.Caller.Claims {
			claims[name] = value
		}
		t.Caller.Claims = claims
	}},
}

// mishearings are bugs of finding the credential.
var mishearings = []plant{
	{name: "the first of two values counts", hear: func(h http.Header, _ *tls.ConnectionState) {
		for key, values := range h {
			h[key] = values[:1]
		}
	}},
	{name: "the last of two values counts", hear: func(h http.Header, _ *tls.ConnectionState) {
		for key, values := range h {
			h[key] = values[len(values)-1:]
		}
	}},
	{name: "a value is cut at a comma", hear: func(h http.Header, _ *tls.ConnectionState) {
		for key, values := range h {
			for i := range values {
				h[key][i], _, _ = strings.Cut(values[i], ",")
			}
		}
	}},
	{name: "a token hides an API key", hear: func(h http.Header, _ *tls.ConnectionState) {
		if len(h["Authorization"]) > 0 {
			h.Del("X-Api-Key")
		}
	}},
	{name: "metadata of a gateway is a credential", hear: func(h http.Header, _ *tls.ConnectionState) {
		if twin := h["Grpc-Metadata-Authorization"]; len(twin) > 0 {
			h["Authorization"] = twin
		}
	}},
	{name: "names of schemes are compared with case", hear: func(h http.Header, _ *tls.ConnectionState) {
		if v := h.Get("Authorization"); v != "" && v[0] <= 'Z' {
			h.Set("Authorization", "Other x")
		}
	}},
	{name: "a token without the name of a scheme is a bearer's", hear: func(h http.Header, _ *tls.ConnectionState) {
		if v := h.Get("Authorization"); strings.HasPrefix(v, "tok.") {
			h.Set("Authorization", "Bearer "+v)
		}
	}},
	{name: "certificates need not be verified", hear: func(_ http.Header, c *tls.ConnectionState) {
		if c != nil {
			c.VerifiedChains = [][]*x509.Certificate{c.PeerCertificates}
		}
	}},
}

// mixups are bugs between the hooks, and of what becomes of their answer.
var mixups = []plant{
	{name: "the principal is the one of the call before", before: func() interceptor.Hook {
		var last atomic.Pointer[authn.Principal]
		return beforeHandler(func(call *interceptor.Call) {
			if p, ok := authn.Key.Get(call); ok {
				if old := last.Swap(p); old != nil {
					authn.Key.Set(call, old)
				}
			}
		})
	}},
	{name: "over HTTP everybody is an administrator", before: func() interceptor.Hook {
		return beforeHandler(func(call *interceptor.Call) {
			if p, ok := authn.Key.Get(call); ok && call.Transport() == interceptor.HTTP {
				authn.Key.Set(call, authn.NewPrincipal(p.Subject(), authn.WithIssuer(p.Issuer()), authn.WithScheme(p.Scheme()),
					authn.WithScopes(slices.Collect(p.Scopes())...), authn.WithRoles("admin"), authn.WithClaims(p.Claims())))
			}
		})
	}},
	{name: "the policy is the one of the call before", before: func() interceptor.Hook {
		var last atomic.Pointer[policy.Policy]
		return beforeHandler(func(call *interceptor.Call) {
			if p, ok := policy.Key.Get(call); ok {
				if old := last.Swap(p); old != nil {
					policy.Key.Set(call, old)
				}
			}
		})
	}},
	{name: "callers who may not are told to log in", first: func() interceptor.Hook {
		return onError(codes.PermissionDenied, interceptor.NewError(codes.Unauthenticated, "log in"))
	}},
	{name: "failing to verify is an internal error", first: func() interceptor.Hook {
		return onError(codes.Unavailable, interceptor.NewError(codes.Internal, "oops"))
	}},
}

func verdict(from, to decision.Verdict) func(*decision.Token) {
	return func(t *decision.Token) {
		if t.Verdict == from {
			t.Verdict = to
		}
	}
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func add(names *[]string, more func(string) []string) {
	for _, n := range slices.Clone(*names) {
		*names = append(*names, more(n)...)
	}
}

func beforeHandler(f func(*interceptor.Call)) interceptor.Hook {
	return interceptor.FromFuncs("mixup", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			f(call)
			return ctx, nil
		},
	})
}

func onError(from codes.Code, to error) interceptor.Hook {
	return interceptor.FromFuncs("mixup", interceptor.Funcs{
		OnError: func(_ context.Context, _ *interceptor.Call, err error) error {
			if interceptor.StatusOf(err).Code() == from {
				return to
			}
			return err
		},
	})
}

// mostCases is how many cases a planted bug may take to be noticed.
const mostCases = 20 * casesPerBatch

// TestPlantedBugs fails for every planted bug that the comparison does not notice.
func TestPlantedBugs(t *testing.T) {
	t.Parallel()
	plants := slices.Concat(misreadings, misjudgements, mishearings, mixups)
	found := make([]noticed, len(plants))
	for i, p := range plants {
		if found[i] = p.notice(t); found[i].by == nil {
			t.Errorf("planted bug not noticed in %d cases: %s", found[i].cases, p.name)
		}
	}
	var b strings.Builder
	for i, f := range found {
		if f.by != nil {
			fmt.Fprintf(&b, "\n%6d  %s: %d over %s, %d is right (%s)", f.cases, plants[i].name, f.by.got.code, f.by.transport, f.by.want.Code, f.by.want.Reason)
		}
	}
	t.Logf("%d planted bugs, and the case that shows each:%s", len(plants), b.String())
}

func (p *plant) notice(t *testing.T) noticed {
	n := noticed{}
	for batch := uint64(0); n.cases < mostCases && n.by == nil; batch++ {
		c := newCount()
		n.by = runBatch(t, *seed, batch, casesPerBatch, *p, &c)
		n.cases += c.all()
	}
	return n
}
