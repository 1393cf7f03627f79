package contender

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// Stack is the work of p as a stack of this library, the same for all transports.
// A panic is recovered by the engine.
func Stack(p *Parts) *interceptor.Stack {
	hooks := []interceptor.Hook{requestid.New()}
	if p.Telemetry {
		hooks = append(hooks, telemetry.New(telemetry.Continue,
			telemetry.TracerProvider(p.Tracers), telemetry.MeterProvider(p.Meters), telemetry.Propagator(p.Propagator)))
	}
	return interceptor.MustNew(append(hooks,
		logging.New(p.Logger),
		authn.New(authn.Bearer(callers(p.Tokens))),
		&bucket{limiter: p.Limiter},
	)...)
}

// callers is what every contender authenticates by: a map of tokens. That of package
// authn compares digests in constant time, which the others do not.
func callers(tokens map[string]string) authn.VerifierFunc {
	known := map[string]*authn.Principal{}
	for token, subject := range tokens {
		known[token] = authn.NewPrincipal(subject, authn.WithScheme("bearer"))
	}
	return func(_ context.Context, token string) (*authn.Principal, error) {
		if p := known[token]; p != nil {
			return p, nil
		}
		return nil, errUnknown
	}
}

var errUnknown = errors.New("unknown token")

// bucket refuses calls beyond a rate.
type bucket struct {
	interceptor.Base
	limiter *rate.Limiter
}

var errLimited = interceptor.NewError(codes.ResourceExhausted, "too many requests")

func (b *bucket) BeforeHandler(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
	if !b.limiter.Allow() {
		return nil, errLimited
	}
	return ctx, nil
}

func crosscutGuard(p *Parts, to grpc.ServiceRegistrar) grpc.ServiceRegistrar {
	return grpcadapter.Guard(Stack(p), to)
}

func crosscutServer(p *Parts, opts ...grpc.ServerOption) Server {
	return grpcadapter.NewServer(Stack(p), opts...)
}

func crosscutHTTP(p *Parts, pattern string, h http.Handler) http.Handler {
	mux := httpadapter.NewMux(Stack(p))
	mux.Handle(pattern, h)
	return mux
}
