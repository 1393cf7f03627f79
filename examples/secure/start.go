package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/crosscut-go/crosscut/examples/internal/demo"
)

// settings are what the flags say.
type settings struct {
	grpc, http, issuer string // addresses to listen on
	once               bool
}

// shopfront is the running example: the issuer and the shop on their sockets.
type shopfront struct {
	ca                 *authority
	issuer             *issuer
	service            *service
	logs               *demo.Log
	grpcAddr, httpAddr string     // where clients find the shop
	failed             chan error // why a server ended by itself
	stops              []func()
}

// start opens all three sockets, makes the certificates for them, and serves. The
// caller must stop what it returns.
func start(ctx context.Context, cfg settings) (_ *shopfront, err error) {
	s := &shopfront{logs: &demo.Log{}, failed: make(chan error, 3)}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	var grpcLis, httpLis, issuerLis net.Listener
	for _, open := range []struct {
		to         *net.Listener
		flag, addr string
	}{{&grpcLis, "grpc", cfg.grpc}, {&httpLis, "http", cfg.http}, {&issuerLis, "issuer", cfg.issuer}} {
		lis, err := demo.Listen(open.flag, open.addr)
		if err != nil {
			return nil, err
		}
		*open.to = lis
		s.stops = append(s.stops, func() { _ = lis.Close() }) // for when no server takes it over
	}
	s.grpcAddr, s.httpAddr = reachable(grpcLis), reachable(httpLis)
	if s.ca, err = newAuthority(grpcLis.Addr(), httpLis.Addr(), issuerLis.Addr()); err != nil {
		return nil, err
	}
	if s.issuer, err = newIssuer("https://" + reachable(issuerLis)); err != nil {
		return nil, err
	}
	s.serveHTTP(issuerLis, s.issuer.handler())
	if s.service, err = newService(ctx, s.issuer.url, s.ca, slog.New(slog.NewJSONHandler(s.logs, nil))); err != nil {
		return nil, err
	}
	s.serveHTTP(httpLis, s.service.mux)
	s.stops = append(s.stops, func() { demo.StopGRPC(s.service.grpc) })
	go func() { s.failed <- s.service.grpc.Serve(grpcLis) }()
	return s, nil
}

func (s *shopfront) serveHTTP(lis net.Listener, handler http.Handler) {
	srv := &http.Server{Handler: handler, TLSConfig: s.ca.server(), ReadHeaderTimeout: 10 * time.Second}
	s.stops = append(s.stops, func() { demo.Shutdown(srv) })
	go func() { s.failed <- srv.ServeTLS(lis, "", "") }()
}

// stop ends what start began, the latest first.
func (s *shopfront) stop() {
	if s.ca != nil {
		s.ca.web.CloseIdleConnections() // servers wait for them
	}
	for len(s.stops) > 0 {
		last := len(s.stops) - 1
		s.stops[last]()
		s.stops = s.stops[:last]
	}
}

// reachable is where clients on this machine find a listener, also one that listens
// on all addresses.
func reachable(lis net.Listener) string {
	if tcp, ok := lis.Addr().(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return lis.Addr().String()
}
