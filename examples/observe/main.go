// Observe shows what a trace, a metric and a log record of the same call look like
// when one hook makes them on every transport:
//
//	cd examples/observe && go run . -once
//
// A bookshop answers over gRPC and REST and asks a second server, the warehouse,
// for every book. Both export their spans over OTLP to a collector, which this
// program starts as well, and the shop's metrics are on /metrics for Prometheus.
// The tour makes the same call over REST and over gRPC with real clients, and
// prints the two traces, from the client to the warehouse, side by side, the
// metrics with the exemplars that lead to these traces, and the log records that
// carry their ids. Without -once everything keeps running. With -picture FILE it
// draws the traces and records of one call over each transport instead.
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
		fmt.Fprintln(os.Stderr, "observe:", err)
		os.Exit(1)
	}
}

// addresses are what the flags say to listen on.
type addresses struct{ grpc, http, warehouse, otlp string }

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("observe", flag.ContinueOnError)
	var addr addresses
	flags.StringVar(&addr.grpc, "grpc", "localhost:9090", "address to serve the shop over gRPC on")
	flags.StringVar(&addr.http, "http", "localhost:8080", "address to serve the shop over REST, and /metrics, on")
	flags.StringVar(&addr.warehouse, "warehouse", "localhost:0", "address to serve the warehouse on")
	flags.StringVar(&addr.otlp, "otlp", "localhost:0", "address of the collector that spans are exported to")
	once := flags.Bool("once", false, "exit after the tour")
	picture := flags.String("picture", "", "instead of the tour, draw what is recorded of two calls into this SVG file, and exit")
	if err := flags.Parse(args); err != nil {
		return err
	}

	s, err := start(ctx, addr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	t := &tour{out: out, system: s}
	if *picture != "" {
		return t.writePicture(ctx, *picture)
	}
	if err := t.run(ctx); err != nil || *once {
		return err
	}
	if err := t.printCommands(); err != nil {
		return err
	}
	s.logs.SendTo(out)
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}
