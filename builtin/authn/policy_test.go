package authn_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// declared is the policy hook with the same rules for everything the kit serves.
func declared(rules ...policy.Rule) interceptor.Hook {
	return policy.New(
		policy.Service("crosscut.conformance.v1.ConformanceService", rules...),
		policy.Route("POST /plain", rules...),
		policy.Route("*", rules...),
	)
}

// counting is a verifier that counts its calls.
type counting struct {
	authn.Verifier
	calls int
}

func (v *counting) Verify(ctx context.Context, token string) (*authn.Principal, error) {
	v.calls++
	return v.Verifier.Verify(ctx, token)
}

// TestPolicyEverywhere checks on every transport what a policy changes.
func TestPolicyEverywhere(t *testing.T) {
	t.Parallel()
	token, key := http.Header{"Authorization": {"Bearer T_reader"}}, http.Header{"X-Api-Key": {"K_svc"}}
	tests := []struct {
		name    string
		rules   []policy.Rule
		header  http.Header
		code    codes.Code
		subject string
		calls   int // of the verifiers
	}{
		{"public, no credential", []policy.Rule{policy.Public}, nil, codes.OK, "", 0},
		{"public, good credential", []policy.Rule{policy.Public}, token, codes.OK, "", 0},
		{"public, bad credential", []policy.Rule{policy.Public}, http.Header{"Authorization": {"", "x"}}, codes.OK, "", 0},
		{"authenticated, no credential", []policy.Rule{policy.Authenticated}, nil, codes.Unauthenticated, "", 0},
		{"authenticated, token", []policy.Rule{policy.Authenticated}, token, codes.OK, "alice", 1},
		{"authenticated, key", []policy.Rule{policy.Authenticated}, key, codes.OK, "svc-1", 1},
		{"denied", []policy.Rule{policy.Denied}, token, codes.PermissionDenied, "", 0},
		{"keys only, key", []policy.Rule{policy.Schemes("apikey")}, key, codes.OK, "svc-1", 1},
		{"keys only, token", []policy.Rule{policy.Schemes("apikey")}, token, codes.Unauthenticated, "", 0},
		{"either", []policy.Rule{policy.Schemes("apikey", "bearer")}, token, codes.OK, "alice", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			verify := &counting{Verifier: tokens}
			verifyKey := &counting{Verifier: keys}
			hooks := []interceptor.Hook{declared(tt.rules...), authn.New(authn.Bearer(verify), authn.Header("ApiKey", "X-Api-Key", verifyKey))}
			interceptortest.Each(t, hooks, interceptortest.Request{Header: tt.header}, func(t *testing.T, got interceptortest.Result) {
				p, known := authn.Key.Get(got.Call)
				if got.Code != tt.code || p.Subject() != tt.subject || known != (tt.subject != "") || got.Reached != (tt.code == codes.OK) {
					t.Errorf("code %v, principal %v, reached %v; want %v, %q", got.Code, p, got.Reached, tt.code, tt.subject)
				}
				if calls := verify.calls + verifyKey.calls; calls != tt.calls {
					t.Errorf("the verifiers ran %d times, want %d", calls, tt.calls)
				}
				verify.calls, verifyKey.calls = 0, 0
			})
		})
	}
}

func TestSchemeThatThePolicyDoesNotAccept(t *testing.T) {
	t.Parallel()
	m := interceptortest.NewMethod("POST /plain")
	c := admit(t, quiet(declared(policy.Schemes("mtls")), authn.New(authn.Bearer(tokens))), m, bearing("Bearer T_reader"))
	checkRefusal(t, c, "Bearer")
	if !strings.Contains(c.Err().Error(), "the policy of the method does not accept this scheme") {
		t.Errorf("operators get %v", c.Err())
	}
}

// TestWarningWithoutAuthorization is not parallel: it reads the default log.
func TestWarningWithoutAuthorization(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	const warning = "no authorization hook: every authenticated caller may call every method"
	for range 2 {
		admit(t, quiet(authn.New(authn.Bearer(tokens)), decides{}), interceptortest.NewMethod("GET /a"), nil)
	}
	if log.Len() > 0 {
		t.Errorf("with a hook that decides after it, authn logs %q", log.String())
	}
	stack := quiet(declared(policy.Authenticated), authn.New(authn.Bearer(tokens)))
	for _, route := range []string{"POST /plain", "*", "POST /plain"} {
		admit(t, stack, interceptortest.NewMethod(route), nil)
	}
	if strings.Count(log.String(), warning) != 1 || !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), `method="POST /plain"`) {
		t.Errorf("without one, the log is %q; want the warning once", log.String())
	}
}

// decides is an authorization hook of the simplest kind.
type decides struct{ interceptor.Base }

func (decides) Decides() {}
