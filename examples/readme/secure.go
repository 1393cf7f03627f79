// The stack that the README shows where it speaks of security.

package main

import (
	"context"
	"log/slog"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/oidc"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
)

func secured(ctx context.Context) (*interceptor.Stack, error) {
	tokens, err := oidc.New(ctx, "https://login.example.com", "orders", oidc.Lazy())
	if err != nil {
		return nil, err
	}
	return interceptor.New(
		requestid.New(),
		telemetry.New(telemetry.Restart), // strangers do not choose our trace ids
		logging.New(slog.Default()),
		policy.New( // what has no .proto of ours is declared here
			policy.Service("grpc.health.v1.Health", policy.Public),
			policy.Route("GET /files/{name}", policy.Scopes("files.read")),
		),
		authn.New(authn.Bearer(tokens)),
		authz.New(),
	)
}
