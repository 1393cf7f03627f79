// Secure runs a bookshop that is closed unless its policy says otherwise, over gRPC,
// over REST through grpc-gateway, and with plain net/http handlers, and shows that
// each call is decided alike on all three:
//
//	go run ./examples/secure
//
// It starts an OpenID Connect issuer of its own and makes real tokens, everything
// over TLS under a certificate authority that is thrown away at the end. It calls
// itself with real clients over real sockets, with good tokens and bad ones, prints
// who may call what, prints commands to paste into another terminal, and keeps
// serving. With -once it ends after the tour.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "secure:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var cfg settings
	flags := flag.NewFlagSet("secure", flag.ContinueOnError)
	flags.StringVar(&cfg.grpc, "grpc", "localhost:9443", "address to serve gRPC on")
	flags.StringVar(&cfg.http, "http", "localhost:8443", "address to serve REST and the plain handlers on")
	flags.StringVar(&cfg.issuer, "issuer", "localhost:7443", "address to serve the issuer of tokens on")
	flags.BoolVar(&cfg.once, "once", false, "exit after the tour")
	if err := flags.Parse(args); err != nil {
		return err
	}
	shop, err := start(ctx, cfg)
	if err != nil {
		return err
	}
	defer shop.stop()
	t, err := newTour(shop, out)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.run(ctx); err != nil || cfg.once {
		return err
	}
	return t.serveOn(ctx)
}
