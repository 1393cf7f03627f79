package authz

import (
	"net"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

// The variables of conditions. All but request are single qualified names: the
// checker then knows each of them, and nothing is built that a condition does not
// read.
const (
	varSubject     = "principal.subject"
	varIssuer      = "principal.issuer"
	varScheme      = "principal.scheme"
	varScopes      = "principal.scopes"
	varRoles       = "principal.roles"
	varClaims      = "principal.claims"
	varMethodName  = "method.name"
	varService     = "method.service"
	varKind        = "method.kind"
	varPeerAddress = "peer.address"
	varPeerNetwork = "peer.network"
	varPeerTLS     = "peer.tls"
	varRequest     = "request"
)

var declarations = []cel.EnvOption{
	cel.Variable(varSubject, cel.StringType),
	cel.Variable(varIssuer, cel.StringType),
	cel.Variable(varScheme, cel.StringType),
	cel.Variable(varScopes, cel.ListType(cel.StringType)),
	cel.Variable(varRoles, cel.ListType(cel.StringType)),
	cel.Variable(varClaims, cel.MapType(cel.StringType, cel.DynType)),
	cel.Variable(varMethodName, cel.StringType),
	cel.Variable(varService, cel.StringType),
	cel.Variable(varKind, cel.StringType),
	cel.Variable(varPeerAddress, cel.StringType),
	cel.Variable(varPeerNetwork, cel.StringType),
	cel.Variable(varPeerTLS, cel.BoolType),
}

// variables are those of one evaluation.
type variables struct {
	principal *authn.Principal
	method    *interceptor.Method
	call      *interceptor.Call
	request   any
}

var _ cel.Activation = (*variables)(nil)

// ResolveName returns the value of a variable. It is asked for those that the
// condition reads, as it reads them.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case varRequest:
		m, ok := v.request.(proto.Message)
		return m, ok
	case varSubject:
		return v.principal.Subject(), true
	case varIssuer:
		return v.principal.Issuer(), true
	case varScheme:
		return v.principal.Scheme(), true
	case varScopes:
		return slices.Collect(v.principal.Scopes()), true
	case varRoles:
		return slices.Collect(v.principal.Roles()), true
	case varClaims:
		return v.principal.Claims(), true
	case varMethodName:
		return v.method.Name(), true
	case varService:
		return serviceOf(v.method), true
	case varKind:
		return v.method.Kind().String(), true
	}
	return v.resolvePeer(name)
}

func (v *variables) resolvePeer(name string) (any, bool) {
	peer := v.call.Peer()
	switch name {
	case varPeerAddress:
		return hostOf(peer.Addr), true
	case varPeerNetwork:
		if peer.Addr == nil {
			return "", true
		}
		return peer.Addr.Network(), true
	case varPeerTLS:
		return peer.TLS != nil, true
	}
	return nil, false
}

// Parent returns nil: there are no other variables.
func (v *variables) Parent() cel.Activation { return nil }

// serviceOf is the full name of the RPC's service, or "" on a plain route;
// of a handler for unknown services it is "grpc:*".
func serviceOf(m *interceptor.Method) string {
	if m.Plain() {
		return ""
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(m.Name(), "/"), "/")
	return service
}

// hostOf is the IP address without the port, or "" where there is none.
func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil || net.ParseIP(host) == nil {
		return ""
	}
	return host
}
