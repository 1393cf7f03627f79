package contender

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/requestid"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// Connect is the method Unary served by connect, over its own protocol; bare for
// nil. It stands beside the others for what its interceptors add: the protocol is
// another one.
func Connect(p *Parts) http.Handler {
	var opts []connect.HandlerOption
	if p != nil {
		recovered := connect.WithRecover(func(context.Context, connect.Spec, http.Header, any) error {
			return connect.NewError(connect.CodeInternal, errPanic)
		})
		// The interceptor given last is the innermost: the line tells of a panic, too.
		opts = append(opts, connect.WithInterceptors(connect.UnaryInterceptorFunc(p.connectUnary)), recovered)
	}
	return connect.NewUnaryHandler(pb.ConformanceService_Unary_FullMethodName,
		func(ctx context.Context, req *connect.Request[pb.UnaryRequest]) (*connect.Response[pb.UnaryResponse], error) {
			out, err := Service{}.Unary(ctx, req.Msg)
			if err != nil {
				return nil, err
			}
			return connect.NewResponse(out), nil
		}, opts...)
}

// connectUnary is the work as an interceptor of connect.
func (p *Parts) connectUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		start, c := time.Now(), &caller{}
		if c.id = req.Header().Get(RequestID); !requestid.Valid(c.id) {
			c.id = rand.Text()
		}
		resp, err := p.connectAdmitted(ctx, c, req, next)
		level, code, messages := slog.LevelInfo, "ok", int64(1)
		if err != nil {
			level, code, messages = slog.LevelWarn, connect.CodeOf(err).String(), 0
		} else {
			resp.Header().Set(RequestID, c.id)
		}
		p.write(ctx, level, slog.String("method", req.Spec().Procedure[1:]), slog.String("transport", "connect"), slog.String("code", code),
			slog.Duration("duration", time.Since(start)), slog.Int64("received", messages), slog.Int64("sent", messages), slog.String("peer", req.Peer().Addr), slog.String("request_id", c.id), slog.String("principal", c.subject))
		return resp, err
	}
}

func (p *Parts) connectAdmitted(ctx context.Context, c *caller, req connect.AnyRequest, next connect.UnaryFunc) (connect.AnyResponse, error) {
	err := p.admit(c, req.Header().Get("Authorization"))
	if err == nil {
		var resp connect.AnyResponse
		if resp, err = next(context.WithValue(ctx, callerKey{}, c), req); err == nil {
			return resp, nil
		}
	}
	failure := connect.NewError(connect.Code(status.Code(err)), err) //nolint:gosec // both count codes as gRPC does
	if connect.CodeOf(err) != connect.CodeUnknown {
		failure = connect.NewError(connect.CodeOf(err), err)
	}
	failure.Meta().Set(RequestID, c.id)
	return nil, failure
}
