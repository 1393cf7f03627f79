package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

var propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

// server is a shop with some instrumentation: gRPC on lis, and HTTP.
type server struct {
	grpc interface {
		Serve(lis net.Listener) error
		GracefulStop()
	}
	http http.Handler
	stop func()
}

// build makes a server that reports to s. lis is where gRPC will be served.
type build func(ctx context.Context, s *sink, sh *shop, public bool, lis net.Listener) (*server, error)

// observe plays a scene with a server of its own and returns what it reports.
func observe(ctx context.Context, sc scene, newServer build) (facts, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrived, arrive := context.WithCancel(context.WithoutCancel(ctx))
	defer arrive()
	ctx = context.WithValue(ctx, arrivedKey{}, arrived)

	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	s := newSink()
	seen := &handlerFacts{}
	srv, err := newServer(ctx, s, &shop{arrived: arrive, seen: seen}, sc.public, lis)
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- srv.grpc.Serve(lis) }()
	web := httptest.NewUnstartedServer(srv.http)
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // of panics, which some scenes are about
	web.Start()

	err = sc.call(ctx, place{grpc: lis.Addr().String(), http: web.Listener.Addr().String()})
	// A client has its answer before the server's span has ended; a server that has
	// stopped has ended all.
	web.Close()
	srv.stop()
	srv.grpc.GracefulStop()
	if err == nil {
		err = <-served
	}
	if err != nil && !errors.Is(err, grpc.ErrServerStopped) { // which is what a server says that was stopped before it served
		return nil, err
	}
	return s.facts(ctx, seen)
}

// newContrib instruments a server as the documentation of otelgrpc and otelhttp
// says. REST calls reach the gRPC server over a connection of the gateway's.
func newContrib(ctx context.Context, s *sink, sh *shop, public bool, lis net.Listener) (*server, error) {
	grpcOpts := []otelgrpc.Option{otelgrpc.WithTracerProvider(s.tracers), otelgrpc.WithMeterProvider(s.meters), otelgrpc.WithPropagators(propagator)}
	httpOpts := []otelhttp.Option{otelhttp.WithTracerProvider(s.tracers), otelhttp.WithMeterProvider(s.meters), otelhttp.WithPropagators(propagator)}
	serverOpts := slices.Clone(grpcOpts)
	if public {
		serverOpts = append(serverOpts, otelgrpc.WithPublicEndpoint())
		httpOpts = append(httpOpts, otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }))
	}
	srv := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler(serverOpts...)), grpc.UnaryInterceptor(recoverPanic))
	bookshopv1.RegisterBookshopServiceServer(srv, sh)

	conn, err := grpc.NewClient("passthrough:///"+lis.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(otelgrpc.NewClientHandler(grpcOpts...)))
	if err != nil {
		return nil, err
	}
	gw := runtime.NewServeMux()
	if err := bookshopv1.RegisterBookshopServiceHandler(ctx, gw, conn); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", gw)
	for pattern, page := range sh.pages() {
		mux.Handle(pattern, page)
	}
	return &server{grpc: srv, http: otelhttp.NewHandler(mux, "shop", httpOpts...), stop: func() { _ = conn.Close() }}, nil
}

// recoverPanic keeps a panic from ending the process, as every server has to.
func recoverPanic(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if recover() != nil {
			err = status.Error(codes.Internal, "internal error")
		}
	}()
	return handler(ctx, req)
}

// newCrosscut lists one hook.
func newCrosscut(ctx context.Context, s *sink, sh *shop, public bool, _ net.Listener) (*server, error) {
	trust := telemetry.Continue
	if public {
		trust = telemetry.Restart
	}
	stack, err := interceptor.New(telemetry.New(trust,
		telemetry.TracerProvider(s.tracers), telemetry.MeterProvider(s.meters), telemetry.LoggerProvider(s.logs), telemetry.Propagator(propagator)))
	if err != nil {
		return nil, err
	}
	stack = stack.ReportTo(nil) // panics are reported as log records
	srv := grpcadapter.NewServer(stack)
	bookshopv1.RegisterBookshopServiceServer(srv, sh)
	gw := gateway.New(stack, srv.Conn())
	if err := bookshopv1.RegisterBookshopServiceHandlerClient(ctx, gw.Mux(), bookshopv1.NewBookshopServiceClient(srv.Conn())); err != nil {
		return nil, err
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	for pattern, page := range sh.pages() {
		mux.Handle(pattern, page)
	}
	return &server{grpc: srv, http: mux, stop: func() {}}, nil
}

func grpcError(code codes.Code, text string) error { return status.Error(code, text) }
