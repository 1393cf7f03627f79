package contender

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/ratelimit"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/requestid"
)

// middlewares are the interceptors of go-grpc-middleware, with one for the request
// id, which it has none for. It logs the end of a call alone, as all others do.
func middlewares(p *Parts) ([]grpc.UnaryServerInterceptor, []grpc.StreamServerInterceptor) {
	logger := logging.LoggerFunc(func(ctx context.Context, level logging.Level, msg string, fields ...any) {
		if p.Telemetry {
			ids := spanIDs(ctx)
			fields = append(fields, "trace_id", ids.trace, "span_id", ids.span, "trace_flags", ids.flags)
		}
		p.Logger.Log(ctx, slog.Level(level), msg, fields...)
	})
	onlyEnd := logging.WithLogOnEvents(logging.FinishCall)
	recovered := recovery.WithRecoveryHandler(func(any) error { return errPanic })
	limit := limiter{p.Limiter}
	return []grpc.UnaryServerInterceptor{
			identifyUnary, logging.UnaryServerInterceptor(logger, onlyEnd), recovery.UnaryServerInterceptor(recovered),
			auth.UnaryServerInterceptor(p.authenticate), ratelimit.UnaryServerInterceptor(limit),
		}, []grpc.StreamServerInterceptor{
			identifyStream, logging.StreamServerInterceptor(logger, onlyEnd), recovery.StreamServerInterceptor(recovered),
			auth.StreamServerInterceptor(p.authenticate), ratelimit.StreamServerInterceptor(limit),
		}
}

func middlewareServer(p *Parts, opts ...grpc.ServerOption) Server {
	unary, stream := middlewares(p)
	opts = append(opts, grpc.ChainUnaryInterceptor(unary...), grpc.ChainStreamInterceptor(stream...))
	if p.Telemetry {
		opts = append(opts, grpc.StatsHandler(otelgrpc.NewServerHandler(
			otelgrpc.WithTracerProvider(p.Tracers), otelgrpc.WithMeterProvider(p.Meters), otelgrpc.WithPropagators(p.Propagator))))
	}
	return grpc.NewServer(opts...)
}

// chainedMiddlewares chains the interceptors as grpc-go does.
func chainedMiddlewares(p *Parts) grpc.UnaryServerInterceptor {
	list, _ := middlewares(p)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return list[0](ctx, req, info, nextUnary(list, 0, info, handler))
	}
}

func nextUnary(list []grpc.UnaryServerInterceptor, at int, info *grpc.UnaryServerInfo, final grpc.UnaryHandler) grpc.UnaryHandler {
	if at == len(list)-1 {
		return final
	}
	return func(ctx context.Context, req any) (any, error) {
		return list[at+1](ctx, req, info, nextUnary(list, at+1, info, final))
	}
}

// identify reads the request id, echoes it, and has it logged.
func identify(ctx context.Context, set func(metadata.MD) error) (context.Context, error) {
	var id string
	if ids := metadata.ValueFromIncomingContext(ctx, metadataID); len(ids) == 1 && requestid.Valid(ids[0]) {
		id = ids[0]
	} else {
		id = rand.Text()
	}
	if err := set(metadata.Pairs(metadataID, id)); err != nil {
		return nil, err
	}
	return logging.InjectFields(ctx, logging.Fields{"request_id", id}), nil
}

func identifyUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := identify(ctx, func(md metadata.MD) error { return grpc.SetHeader(ctx, md) })
	if err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

func identifyStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, err := identify(ss.Context(), ss.SetHeader)
	if err != nil {
		return err
	}
	return handler(srv, &identified{ServerStream: ss, ctx: ctx})
}

// identified is a stream with another context.
type identified struct {
	grpc.ServerStream
	ctx context.Context
}

// Context returns the context with the request id.
func (s *identified) Context() context.Context { return s.ctx }

// authenticate is what go-grpc-middleware asks for a caller.
func (p *Parts) authenticate(ctx context.Context) (context.Context, error) {
	token, err := auth.AuthFromMD(ctx, "bearer")
	if err != nil {
		return nil, err
	}
	subject, ok := p.Tokens[token]
	if !ok {
		return nil, errDenied
	}
	logging.AddFields(ctx, logging.Fields{"principal", subject})
	return context.WithValue(ctx, callerKey{}, subject), nil
}

type limiter struct{ bucket *rate.Limiter }

var errRate = errors.New(status.Convert(errTooMany).Message())

// Limit asks the bucket.
func (l limiter) Limit(context.Context) error {
	if !l.bucket.Allow() {
		return errRate
	}
	return nil
}
