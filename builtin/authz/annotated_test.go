package authz_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	hostilepb "github.com/crosscut-go/crosscut/proto/crosscut/hostile/v1"
)

// TestAnnotated takes the policies from a .proto: the right caller for one method is
// the wrong one for another.
func TestAnnotated(t *testing.T) {
	t.Parallel()
	service := string(hostilepb.File_crosscut_hostile_v1_hostile_proto.Services().Get(0).FullName())
	nobody, reader, writer, admin := (*authn.Principal)(nil), principals["reader"], principals["writer"], principals["admin"]
	const no, who = codes.PermissionDenied, codes.Unauthenticated
	for method, want := range map[string][4]codes.Code{ // nobody, reader, writer, admin
		"Get":    {who, codes.OK, codes.OK, codes.OK},
		"Create": {who, no, codes.OK, codes.OK},
		"Delete": {who, no, no, codes.OK},
		"Purge":  {who, no, no, codes.OK},
		"Watch":  {who, codes.OK, codes.OK, codes.OK},
		"Upload": {who, no, codes.OK, codes.OK},
		"Chat":   {who, codes.OK, codes.OK, codes.OK},
		"Ping":   {codes.OK, codes.OK, codes.OK, codes.OK},
		"Legacy": {no, no, no, no},
	} {
		for i, caller := range []*authn.Principal{nobody, reader, writer, admin} {
			call, _ := interceptortest.NewCall(
				interceptortest.WithMethod(interceptortest.NewMethod("/"+service+"/"+method), ""),
				interceptortest.WithHooks(policy.New(policy.DangerouslyAllowUndeclared()), as(caller), authz.New()))
			got := interceptortest.RunPhases(call, nil)
			if code := interceptor.StatusOf(got.Err).Code(); code != want[i] || got.Reached != (code == codes.OK) {
				t.Errorf("%s as %v: %v, handler reached %v; want %v", method, caller, got.Err, got.Reached, want[i])
			}
		}
	}
}
