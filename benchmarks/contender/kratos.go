package contender

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/go-kratos/kratos/v2/middleware"
	"github.com/go-kratos/kratos/v2/middleware/metrics"
	"github.com/go-kratos/kratos/v2/middleware/recovery"
	"github.com/go-kratos/kratos/v2/middleware/tracing"
	"github.com/go-kratos/kratos/v2/transport"
	kratosgrpc "github.com/go-kratos/kratos/v2/transport/grpc"
	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/builtin/requestid"
)

// kratosServer has the chain, the recovery and the telemetry of kratos, and the
// other concerns as middlewares of its kind: its own logging prints the whole
// request and no request id, and its own authentication knows only JWT.
func kratosServer(p *Parts, opts ...grpc.ServerOption) Server {
	var list []middleware.Middleware
	if p.Telemetry {
		seconds, err := metrics.DefaultSecondsHistogram(p.Meters.Meter("kratos"), metrics.DefaultServerSecondsHistogramName)
		if err != nil {
			panic(err)
		}
		list = append(list,
			tracing.Server(tracing.WithTracerProvider(p.Tracers), tracing.WithPropagator(p.Propagator)),
			metrics.Server(metrics.WithSeconds(seconds)))
	}
	list = append(list, p.kratosLog,
		recovery.Recovery(recovery.WithHandler(func(context.Context, any, any) error { return errPanic })), p.kratosAdmit)
	return kratosgrpc.NewServer(kratosgrpc.Options(opts...), kratosgrpc.Timeout(0), kratosgrpc.Middleware(list...)).Server
}

// kratosLog echoes the request id and writes the line.
func (p *Parts) kratosLog(next middleware.Handler) middleware.Handler {
	return func(ctx context.Context, req any) (any, error) {
		start, c := time.Now(), &caller{}
		tr, _ := transport.FromServerContext(ctx)
		if c.id = tr.RequestHeader().Get(metadataID); !requestid.Valid(c.id) {
			c.id = rand.Text()
		}
		tr.ReplyHeader().Set(metadataID, c.id)
		resp, err := next(context.WithValue(ctx, callerKey{}, c), req)
		p.writeRPC(ctx, strings.TrimPrefix(tr.Operation(), "/"), c, err, time.Since(start))
		return resp, err
	}
}

// kratosAdmit authenticates the caller and asks the bucket.
func (p *Parts) kratosAdmit(next middleware.Handler) middleware.Handler {
	return func(ctx context.Context, req any) (any, error) {
		tr, _ := transport.FromServerContext(ctx)
		c, _ := ctx.Value(callerKey{}).(*caller)
		if err := p.admit(c, tr.RequestHeader().Get("authorization")); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}
