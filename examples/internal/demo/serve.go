// Package demo is what the examples share and what is not worth reading in any of
// them: listening on the address of a flag, stopping, and a log that a tour can
// look at.
package demo

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Listen listens on addr, which the flag of that name was given, and turns the
// commonest mistake, a busy port, into an answer.
func Listen(flag, addr string) (net.Listener, error) {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with -%s host:port (port 0 takes a free one)", addr, err, flag)
	}
	return lis, nil
}

// patience is how long a server waits for calls that do not end by themselves.
const patience = 5 * time.Second

// Shutdown stops an HTTP server, and does not wait long for clients that keep their
// connection busy.
func Shutdown(web *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := web.Shutdown(ctx); err != nil {
		_ = web.Close()
	}
}

// StopGRPC stops a gRPC server, and does not wait long for streams that stay open.
func StopGRPC(srv interface {
	GracefulStop()
	Stop()
}) {
	timer := time.AfterFunc(patience, srv.Stop)
	defer timer.Stop()
	srv.GracefulStop()
}
