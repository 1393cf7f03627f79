// Quickstart runs a small bookshop behind one stack of hooks, over gRPC, over
// REST through grpc-gateway, and with a plain net/http handler, and shows that
// every hook sees the same call on all three:
//
//	go run ./examples/quickstart
//
// It makes a few calls to itself with real clients over real sockets, prints
// what the hooks saw side by side, prints commands to paste into another
// terminal, and keeps serving. With -once it ends after the tour.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"google.golang.org/grpc/reflection"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/examples/internal/demo"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	grpcAddr := flags.String("grpc", "localhost:9090", "address to serve gRPC on")
	httpAddr := flags.String("http", "localhost:8080", "address to serve REST and the file download on")
	once := flags.Bool("once", false, "exit after the tour")
	if err := flags.Parse(args); err != nil {
		return err
	}
	grpcLis, err := demo.Listen("grpc", *grpcAddr)
	if err != nil {
		return err
	}
	httpLis, err := demo.Listen("http", *httpAddr)
	if err != nil {
		return errors.Join(err, grpcLis.Close())
	}

	logs := &demo.Log{}
	w := newWitnesses()
	srv, web, err := newServers(ctx, w, slog.New(slog.NewJSONHandler(logs, nil)))
	if err != nil {
		return errors.Join(err, grpcLis.Close(), httpLis.Close())
	}
	failed := make(chan error, 2)
	go func() { failed <- srv.Serve(grpcLis) }()
	go func() { failed <- web.Serve(httpLis) }()
	defer demo.StopGRPC(srv)
	defer demo.Shutdown(web)

	t := &tour{out: out, witnesses: w, logs: logs, grpcAddr: grpcLis.Addr().String(), httpAddr: httpLis.Addr().String()}
	if err := t.run(ctx); err != nil || *once {
		return err
	}
	if err := t.printCommands(); err != nil {
		return err
	}
	logs.SendTo(out)
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// newServers puts the bookshop behind one stack: the gRPC server, and the HTTP
// server with the REST gateway and a plain handler.
func newServers(ctx context.Context, w *witnesses, logger *slog.Logger) (*grpcadapter.Server, *http.Server, error) {
	stack, err := interceptor.New(
		w.hook("outermost"),
		requestid.New(),
		logging.New(logger),
		authn.New(authn.Bearer(authn.StaticTokens(map[string]string{devToken: "alice"}))),
		w.hook("innermost"),
	)
	if err != nil {
		return nil, nil, err
	}

	srv := grpcadapter.NewServer(stack)
	bookshopv1.RegisterBookshopServiceServer(srv, newShop())
	reflection.Register(srv) // guarded like everything else: grpcurl sends the token

	gw := gateway.New(stack, srv.Conn())
	client := bookshopv1.NewBookshopServiceClient(srv.Conn())
	if err := bookshopv1.RegisterBookshopServiceHandlerClient(ctx, gw.Mux(), client); err != nil {
		return nil, nil, err
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	mux.Handle("GET /files/{name}", download)
	return srv, &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}, nil
}
