// Package migration holds the code of docs/migration-opentelemetry.md, so that it
// compiles and does what the page says.
package migration

import (
	"context"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

// Before is a server with gRPC, REST and a plain handler as otelgrpc and otelhttp
// instrument it. grpcTarget is where the gRPC server will be served.
func Before(ctx context.Context, shop bookshopv1.BookshopServiceServer, grpcTarget string) (*grpc.Server, http.Handler, error) {
	srv := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler()))
	bookshopv1.RegisterBookshopServiceServer(srv, shop)

	conn, err := grpc.NewClient(grpcTarget,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler()))
	if err != nil {
		return nil, nil, err
	}
	gw := runtime.NewServeMux()
	if err := bookshopv1.RegisterBookshopServiceHandler(ctx, gw, conn); err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", gw)
	mux.HandleFunc("GET /files/{name}", download)
	return srv, otelhttp.NewHandler(mux, "shop"), nil
}
