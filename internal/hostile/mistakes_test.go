package hostile_test

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// fine is an error that claims to be a success.
type fine struct{}

func (fine) Error() string              { return "all is well" }
func (fine) GRPCStatus() *status.Status { return status.New(codes.OK, "all is well") }

// TestErrorThatClaimsSuccess: an error is a failure, whatever status it says it has.
func TestErrorThatClaimsSuccess(t *testing.T) {
	t.Parallel()
	refuses := authn.New(authn.Bearer(authn.VerifierFunc(func(context.Context, string) (*authn.Principal, error) { return nil, fine{} })))
	fails := func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return nil, fine{} }
	crashed := internal
	crashed.reads = true
	for _, d := range []door{wire, mounted, rest, restMux} {
		newSite(t, d, options{auth: refuses}).judge(t, row{name: "verifier", call: get, fields: []string{bearer(reader())}, want: unauthenticated, noGood: true, times: 20})
		newSite(t, d, options{look: fails}).judge(t, row{name: "handler", call: get, fields: []string{bearer(reader())}, want: crashed, noGood: true, times: 20})
	}
}

// TestHandlerEditsThePrincipal: principals are shared between the calls that present one
// token, and what a handler does to its copy gives nobody anything.
func TestHandlerEditsThePrincipal(t *testing.T) {
	t.Parallel()
	token := tokentest.RSA().Token(claims(map[string]any{"roles": []string{"user"}, "teams": map[string]any{"a": "b"}}))
	edit := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		p, _ := authn.From(ctx)
		all := p.Claims()
		all["sub"], all["roles"].([]any)[0] = "root", "admin"
		if roles, ok := p.Claim("roles"); ok {
			roles.([]any)[0] = "admin"
		}
		for role := range p.Roles() {
			if role != "user" {
				t.Errorf("an earlier call's edit is seen: the role is %q", role)
			}
		}
		if roles, _ := p.Claim("roles"); roles.([]any)[0] != "user" {
			t.Errorf("an edit is seen: the claim is %v", roles)
		}
		return next(ctx, req)
	}
	for _, d := range []door{wire, mounted, rest, restMux} {
		s := newSite(t, d, options{look: edit})
		s.judge(t, row{name: "edits", call: get, fields: []string{bearer(token)}, want: allowed, times: 20})
		s.judge(t, row{name: "deletes", call: remove, fields: []string{bearer(token)}, want: denied, noGood: true, times: 20})
	}
}
