package authz

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// What clients are told. It is the same for every refusal of one kind: which scope,
// role or condition is missing tells an attacker what to go for.
const (
	publicNobody  = "a valid credential is required" // as package authn says it
	publicRefusal = "permission denied"              // as package policy does
)

var (
	errNobody = interceptor.NewError(codes.Unauthenticated, publicNobody,
		interceptor.WithCause(errors.New("authz: the method needs a caller, and no hook has identified one")))
	errClosed = refuse(errors.New("authz: the policy of the method admits nobody"))
	errNoRule = refuse(errors.New("authz: the call has no policy that was known when the server learned of its method; list policy.New() before authz.New() and nothing else that sets policy.Key"))
)

func refuse(cause error) error {
	return interceptor.NewError(codes.PermissionDenied, publicRefusal, interceptor.WithCause(cause))
}

func refusalScope(name string) error {
	return refuse(fmt.Errorf("authz: the caller lacks the scope %q", name))
}

func refusalRoles(anyOf []string) error {
	quoted := make([]string, len(anyOf))
	for i, role := range anyOf {
		quoted[i] = fmt.Sprintf("%q", role)
	}
	return refuse(errors.New("authz: the caller has none of the roles " + strings.Join(quoted, ", ")))
}
