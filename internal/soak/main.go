// Command soak makes very many calls of every sort at once against one server
// with a stack, on every transport, and then proves from the books that nothing
// was lost: every call that a client made began once, every hook that was entered
// was told the outcome once, log, traces and metrics tell of it once, client and
// server agree on that outcome, and no goroutine and no memory is left.
//
//	go run ./internal/soak -calls 1000000
//
// It prints its figures and exits with 1 when they do not add up.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"google.golang.org/grpc/grpclog"
)

func main() {
	var c config
	flag.IntVar(&c.calls, "calls", 1_000_000, "how many calls to make")
	flag.DurationVar(&c.duration, "duration", 10*time.Minute, "begin no more calls after this `time`")
	flag.IntVar(&c.clients, "clients", 64, "how many calls are made at once")
	flag.Uint64Var(&c.seed, "seed", 1, "chooses the calls; one seed means the same calls")
	flag.Parse()

	quiet()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, c, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// quiet drops what libraries log: here calls fail on purpose.
func quiet() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
}
