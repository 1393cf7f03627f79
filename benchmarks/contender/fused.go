package contender

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/requestid"
)

// caller is what the work found out about a call, for the handler and the log.
type caller struct{ id, subject string }

type callerKey struct{}

const metadataID = "x-request-id"

var (
	errDenied  = status.Error(codes.Unauthenticated, "missing or wrong token")
	errTooMany = status.Error(codes.ResourceExhausted, "too many requests")
	errPanic   = status.Error(codes.Internal, "internal error")
)

// fusedUnary is the limit: everything of W5 in one function for one transport, with
// nothing to configure and nothing that others could add to.
func fusedUnary(p *Parts) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
		start, c := time.Now(), &caller{}
		if ids := metadata.ValueFromIncomingContext(ctx, metadataID); len(ids) == 1 && requestid.Valid(ids[0]) {
			c.id = ids[0]
		} else {
			c.id = rand.Text()
		}
		defer func() {
			if recover() != nil {
				resp, err = nil, errPanic
			}
			p.writeRPC(ctx, info.FullMethod[1:], c, err, time.Since(start))
		}()
		if err := grpc.SetHeader(ctx, metadata.MD{metadataID: {c.id}}); err != nil {
			return nil, err
		}
		var credential string
		if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) == 1 {
			credential = values[0]
		}
		if err := p.admit(c, credential); err != nil {
			return nil, err
		}
		return handler(context.WithValue(ctx, callerKey{}, c), req)
	}
}

func fusedServer(p *Parts, opts ...grpc.ServerOption) Server {
	return grpc.NewServer(append(opts, grpc.UnaryInterceptor(fusedUnary(p)))...)
}

// admit authenticates c and asks the bucket.
func (p *Parts) admit(c *caller, authorization string) error {
	scheme, token, _ := strings.Cut(authorization, " ")
	if c.subject = p.Tokens[token]; c.subject == "" || !strings.EqualFold(scheme, "bearer") {
		return errDenied
	}
	if !p.Limiter.Allow() {
		return errTooMany
	}
	return nil
}

// writeRPC writes the line that this library's logging writes for a unary call.
func (p *Parts) writeRPC(ctx context.Context, method string, c *caller, err error, took time.Duration) {
	level, code, messages := slog.LevelInfo, status.Code(err), int64(1)
	if err != nil {
		messages = 0
	}
	if code == codes.Internal {
		level = slog.LevelError
	}
	var address string
	if from, ok := peer.FromContext(ctx); ok {
		address = addressOf(from.Addr)
	}
	attrs := [...]slog.Attr{
		slog.String("method", method), slog.String("transport", "grpc"), slog.String("code", code.String()), slog.Duration("duration", took),
		slog.Int64("received", messages), slog.Int64("sent", messages), slog.String("peer", address), slog.String("request_id", c.id),
		slog.String("principal", c.subject), slog.Any("error", err),
	}
	n := len(attrs)
	if err == nil {
		n--
	}
	p.write(ctx, level, attrs[:n]...)
}

// addressOf writes the address of a TCP peer with one allocation.
func addressOf(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.AddrPort().String()
	}
	return addr.String()
}
