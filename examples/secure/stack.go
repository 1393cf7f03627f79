package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/builtin/authn/oidc"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/cors"
	"github.com/crosscut-go/crosscut/builtin/csrf"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/builtin/secureheaders"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	shopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/secureshop/v1"
)

// frontEnd is the origin of the shop's web pages, which call its API.
const frontEnd = "https://books.example"

// newPolicy declares who may call what has no .proto of ours. Everything else says
// it in proto/crosscut/examples/secureshop.
func newPolicy() interceptor.Hook {
	return policy.New(
		policy.Service("grpc.health.v1.Health", policy.Public),
		policy.Service("grpc.reflection.v1.ServerReflection", policy.Authenticated),
		policy.Service("grpc.reflection.v1alpha.ServerReflection", policy.Authenticated),
		policy.Route("GET /hours", policy.Public),
		policy.Route("POST /letters", policy.Public),
		policy.Route("GET /members/{member}/receipts/{id}", policy.Scopes("orders.read")),
		policy.Route("GET /admin/sales", policy.Roles("clerk", "manager")),
		policy.Route("GET /admin/dump", policy.Denied),
	)
}

// newStack is the list of hooks that every call passes, the first outermost.
func newStack(guard interceptor.Hook, tokens authn.Verifier, logger *slog.Logger) (*interceptor.Stack, error) {
	return interceptor.New(
		requestid.New(),
		// On every answer, so outside of all that may refuse. A year of HSTS, the default,
		// would keep a browser from every other server on localhost.
		secureheaders.New(secureheaders.HSTS(5*time.Minute)),
		realip.New(realip.Trust("127.0.0.1", "::1")), // a proxy on this machine, and nobody else
		logging.New(logger),
		cors.New(cors.Origins(frontEnd), cors.Headers("Authorization", "Content-Type")),
		csrf.New(csrf.TrustOrigins(frontEnd)),
		guard,
		authn.New(authn.Bearer(tokens, authn.Parameter("realm", audience))),
		authz.New(),
	)
}

// service is the shop with everything around it.
type service struct {
	stack *interceptor.Stack
	guard interceptor.Hook
	grpc  *grpcadapter.Server
	mux   *httpadapter.Mux // REST and the plain handlers
}

// newService trusts the tokens of one issuer, of which it knows the URL, and puts
// the shop behind the stack on gRPC, REST and plain HTTP.
func newService(ctx context.Context, issuerURL string, ca *authority, logger *slog.Logger) (*service, error) {
	tokens, err := oidc.New(ctx, issuerURL, audience, oidc.Client(ca.web), oidc.Tokens(jwt.MaxLifetime(lifetime)))
	if err != nil {
		return nil, err
	}
	guard := newPolicy()
	stack, err := newStack(guard, tokens, logger)
	if err != nil {
		return nil, err
	}

	s := newShop()
	srv := grpcadapter.NewServer(stack, grpc.Creds(credentials.NewTLS(ca.server())))
	shopv1.RegisterSecureShopServiceServer(srv, s)
	healthv1.RegisterHealthServer(srv, health.NewServer())
	reflection.Register(srv)

	gw := gateway.New(stack, srv.Conn())
	if err := shopv1.RegisterSecureShopServiceHandlerClient(ctx, gw.Mux(), shopv1.NewSecureShopServiceClient(srv.Conn())); err != nil {
		return nil, err
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	mux.Handle("GET /hours", say("Open from 9 to 5."))
	mux.Handle("POST /letters", say("Thank you for writing."))
	mux.Handle("GET /members/{member}/receipts/{id}", httpadapter.HandlerFunc(s.receipt))
	mux.Handle("GET /admin/sales", httpadapter.HandlerFunc(s.sales))
	mux.Handle("GET /admin/dump", say("Everything there is."))
	return &service{stack: stack, guard: guard, grpc: srv, mux: mux}, errors.Join(srv.Check(), mux.Check())
}

// table is the effective policy of all there is.
func (s *service) table() *policy.Table {
	return policy.TableOf(s.guard, append(s.grpc.Methods(), s.mux.Routes()...)...)
}

// forgotten returns what keeps a server from starting that has one more route,
// about which nobody said who may call it.
func (s *service) forgotten() error {
	mux := httpadapter.NewMux(s.stack)
	mux.Handle("GET /admin/backup", say("All of it."))
	return mux.Check()
}
