package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// token is the credential that authn accepts.
const token = "soak"

// site is the server under test and the connections that clients use: one gRPC
// server, on a port of its own, mounted under net/http, and in process; beside it
// on the HTTP port the gateway and plain handlers. One stack is around all.
type site struct {
	book     *book
	reported atomic.Int64 // what the stack reported to the operator
	signals  *signals

	grpc *grpcadapter.Server
	web  *http.Server
	base string // URL of the HTTP port

	wire, mounted *grpc.ClientConn
	http1, http2  *http.Client
	served        []chan error // what the servers' Serve returns
}

// newSite starts a site that keeps its book in b.
func newSite(ctx context.Context, b *book) (*site, error) {
	return newSiteOf(ctx, &service{book: b})
}

func newSiteOf(ctx context.Context, svc *service) (*site, error) {
	s := &site{book: svc.book, signals: newSignals()}
	stack, err := s.stack()
	if err != nil {
		return nil, err
	}
	s.grpc = grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(s.grpc, svc)
	gw := gateway.New(stack, s.grpc.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(ctx, gw.Mux(), pb.NewConformanceServiceClient(s.grpc.Conn())); err != nil {
		return nil, err
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	mux.Handle("/"+pb.ConformanceService_ServiceDesc.ServiceName+"/", s.grpc)
	mux.Handle("POST /plain", httpadapter.HandlerFunc(svc.echo))
	mux.Handle("GET /events", httpadapter.HandlerFunc(svc.events))
	if err := errors.Join(s.grpc.Check(), mux.Check()); err != nil {
		return nil, err
	}
	err = s.serve(mux)
	return s, err
}

func (s *site) stack() (*interceptor.Stack, error) {
	hooks := append([]interceptor.Hook{s.book.outermost(), requestid.New()}, s.signals.hooks()...)
	stack, err := interceptor.New(append(hooks,
		s.book.gate(),
		authn.New(authn.Bearer(authn.StaticTokens(map[string]string{token: "soaker"}))),
		s.book.innermost(),
	)...)
	if err != nil {
		return nil, err
	}
	return stack.ReportTo(func(context.Context, *interceptor.Call, error) { s.reported.Add(1) }), nil
}

// serve starts both servers and makes the clients.
func (s *site) serve(mux http.Handler) error {
	s.web = &http.Server{Handler: mux, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
	s.web.Protocols.SetHTTP1(true)
	s.web.Protocols.SetUnencryptedHTTP2(true)
	grpcAddr, err := s.listen(s.grpc.Serve)
	if err != nil {
		return err
	}
	webAddr, err := s.listen(s.web.Serve)
	if err != nil {
		return err
	}
	s.base = "http://" + webAddr
	if s.wire, err = dial(grpcAddr); err != nil {
		return err
	}
	if s.mounted, err = dial(webAddr); err != nil {
		return err
	}
	s.http1, s.http2 = newHTTPClient((*http.Protocols).SetHTTP1), newHTTPClient((*http.Protocols).SetUnencryptedHTTP2)
	return nil
}

// listen runs serve on a free port and returns its address.
func (s *site) listen(serve func(net.Listener) error) (string, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no port to serve on: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- serve(lis) }()
	s.served = append(s.served, done)
	return lis.Addr().String(), nil
}

func dial(addr string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func newHTTPClient(protocol func(*http.Protocols, bool)) *http.Client {
	t := &http.Transport{Protocols: new(http.Protocols), MaxIdleConnsPerHost: 1 << 10}
	protocol(t.Protocols, true)
	return &http.Client{Transport: t}
}

// close ends clients and servers, the servers gracefully, and returns when they
// have.
func (s *site) close(ctx context.Context) error {
	s.closeClients()
	err := s.web.Shutdown(ctx)
	s.grpc.GracefulStop()
	return errors.Join(err, s.ended())
}

func (s *site) closeClients() {
	_ = s.wire.Close() // that it is closed already
	_ = s.mounted.Close()
	s.http1.CloseIdleConnections()
	s.http2.CloseIdleConnections()
}

// ended waits until the servers' Serve have returned.
func (s *site) ended() error {
	var err error
	for _, done := range s.served {
		if served := <-done; served != nil && !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
	}
	return err
}
