package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/examples/internal/demo"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

// system is everything that runs: the collector, the warehouse and the shop.
type system struct {
	collector *collector
	logs      *demo.Log
	addr      addresses                // what the servers really listen on
	customers *sdktrace.TracerProvider // of the clients of the tour
	failed    chan error
	cleanups  []func() error // run in reverse
}

// start starts the servers in the order in which they need each other.
func start(ctx context.Context, addr addresses) (*system, error) {
	s := &system{collector: newCollector(), logs: &demo.Log{}, failed: make(chan error, 4)}
	for _, step := range []func(context.Context, addresses) error{s.startCollector, s.startWarehouse, s.startShop, s.openDoors} {
		if err := step(ctx, addr); err != nil {
			return nil, errors.Join(err, s.stop())
		}
	}
	return s, nil
}

// openDoors lets the customers of the tour in.
func (s *system) openDoors(ctx context.Context, _ addresses) (err error) {
	s.customers, err = s.tracing(ctx, "customer")
	return err
}

// stop ends what start began, the last first, so that nobody loses the server it
// talks to, or the collector while it has spans to export.
func (s *system) stop() error {
	var errs []error
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		errs = append(errs, s.cleanups[last]())
		s.cleanups = s.cleanups[:last]
	}
	return errors.Join(errs...)
}

func (s *system) cleanup(f func() error) { s.cleanups = append(s.cleanups, f) }

// tracing returns the tracer provider of one service, which exports to the
// collector.
func (s *system) tracing(ctx context.Context, service string) (*sdktrace.TracerProvider, error) {
	tracers, err := newTracing(ctx, service, s.addr.otlp)
	if err != nil {
		return nil, err
	}
	s.cleanup(func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return tracers.Shutdown(ctx)
	})
	return tracers, nil
}

func (s *system) startCollector(_ context.Context, addr addresses) error {
	srv := grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(srv, s.collector)
	return s.serve("otlp", addr.otlp, &s.addr.otlp, srv.Serve, srv.GracefulStop)
}

func (s *system) startWarehouse(ctx context.Context, addr addresses) error {
	tracers, err := s.tracing(ctx, "warehouse")
	if err != nil {
		return err
	}
	stack, err := interceptor.New(
		// Only services of our own call the warehouse, so it believes what they say.
		telemetry.New(telemetry.Continue, telemetry.TracerProvider(tracers), telemetry.Propagator(propagator)),
	)
	if err != nil {
		return err
	}
	srv := grpcadapter.NewServer(stack)
	bookshopv1.RegisterBookshopServiceServer(srv, warehouse{})
	return s.serve("warehouse", addr.warehouse, &s.addr.warehouse, srv.Serve, srv.GracefulStop)
}

func (s *system) startShop(ctx context.Context, addr addresses) error {
	tracers, err := s.tracing(ctx, "shop")
	if err != nil {
		return err
	}
	meters, metrics, err := newMetrics("shop")
	if err != nil {
		return err
	}
	s.cleanup(func() error { return meters.Shutdown(context.WithoutCancel(ctx)) })
	stack, err := s.newStack(tracers, meters)
	if err != nil {
		return err
	}
	conn, err := s.dialWarehouse(tracers)
	if err != nil {
		return err
	}
	s.cleanup(conn.Close)

	srv := grpcadapter.NewServer(stack)
	bookshopv1.RegisterBookshopServiceServer(srv, &shop{warehouse: bookshopv1.NewBookshopServiceClient(conn)})
	gw := gateway.New(stack, srv.Conn())
	if err := bookshopv1.RegisterBookshopServiceHandlerClient(ctx, gw.Mux(), bookshopv1.NewBookshopServiceClient(srv.Conn())); err != nil {
		return err
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	// Scrapes are no traffic of the shop: they stay outside of the stack.
	root := http.NewServeMux()
	root.Handle("GET /metrics", metrics)
	root.Handle("/", mux)
	web := &http.Server{Handler: root, ReadHeaderTimeout: 10 * time.Second}

	if err := s.serve("grpc", addr.grpc, &s.addr.grpc, srv.Serve, srv.GracefulStop); err != nil {
		return err
	}
	return s.serve("http", addr.http, &s.addr.http, web.Serve, func() { demo.Shutdown(web) })
}

// newStack is what this example is about: one list of hooks, and one hook in it
// makes traces and metrics of every call over every transport.
func (s *system) newStack(tracers *sdktrace.TracerProvider, meters *sdkmetric.MeterProvider) (*interceptor.Stack, error) {
	return interceptor.New(
		requestid.New(),
		// The tour's clients are our own. Where strangers call, say Restart.
		telemetry.New(telemetry.Continue,
			telemetry.TracerProvider(tracers), telemetry.MeterProvider(meters), telemetry.Propagator(propagator),
			telemetry.MetricKeys(shelfKey),
			telemetry.ActiveRequests(),
		),
		logging.New(slog.New(slog.NewJSONHandler(s.logs, nil))),
	)
}

// dialWarehouse returns the connection over which the shop asks the warehouse.
// otelgrpc's client handler makes the span of the outgoing call, below that of the
// call that is being answered, and sends its ids along.
func (s *system) dialWarehouse(tracers *sdktrace.TracerProvider) (*grpc.ClientConn, error) {
	return grpc.NewClient(s.addr.warehouse,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(tracers), otelgrpc.WithPropagators(propagator))),
	)
}

// serve listens on the address that the flag was given, leaves the one that it got
// in got, and serves until stop.
func (s *system) serve(flag, addr string, got *string, serve func(net.Listener) error, stop func()) error {
	lis, err := demo.Listen(flag, addr)
	if err != nil {
		return err
	}
	*got = lis.Addr().String()
	go func() {
		if err := serve(lis); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.cleanup(func() error { stop(); return nil })
	return nil
}
