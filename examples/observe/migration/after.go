package migration

import (
	"context"
	"fmt"
	"net/http"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

// After is the same server with one hook.
func After(ctx context.Context, shop bookshopv1.BookshopServiceServer) (*grpcadapter.Server, http.Handler, error) {
	// Restart if strangers call, Continue if only services of your own do.
	stack, err := interceptor.New(telemetry.New(telemetry.Restart))
	if err != nil {
		return nil, nil, err
	}
	srv := grpcadapter.NewServer(stack)
	bookshopv1.RegisterBookshopServiceServer(srv, shop)

	gw := gateway.New(stack, srv.Conn())
	client := bookshopv1.NewBookshopServiceClient(srv.Conn())
	if err := bookshopv1.RegisterBookshopServiceHandlerClient(ctx, gw.Mux(), client); err != nil {
		return nil, nil, err
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	mux.HandleFunc("GET /files/{name}", download)
	return srv, mux, nil
}

func download(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "The catalogue.") }
