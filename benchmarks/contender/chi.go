package contender

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// chiHTTP has the middlewares of chi for the request id, for what a response says,
// and for panics, and the rest as its users write it.
func chiHTTP(p *Parts, pattern string, h http.Handler) http.Handler {
	return p.otelHTTP(newChi(pattern, h, p.chiMiddlewares(p.chiLine)...))
}

// chiSameLine is chiHTTP with the line that this library's logging writes.
func chiSameLine(p *Parts, pattern string, h http.Handler) http.Handler {
	return p.otelHTTP(newChi(pattern, h, p.chiMiddlewares(p.writeRequest)...))
}

// lineWriter writes the line of a request.
type lineWriter func(r *http.Request, c *caller, pattern string, status int, sent int64, took time.Duration)

func (p *Parts) chiMiddlewares(write lineWriter) chi.Middlewares {
	return chi.Middlewares{middleware.RequestID, echo, accessLog(write), middleware.Recoverer, p.bearer, p.throttle}
}

func newChi(pattern string, h http.Handler, list ...func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(list...)
	if verb, path, ok := strings.Cut(pattern, " "); ok {
		r.Method(verb, path, h)
	} else {
		r.Handle(pattern, h)
	}
	return r
}

// otelHTTP is h behind otelhttp for W6, and h for W5.
func (p *Parts) otelHTTP(h http.Handler) http.Handler {
	if !p.Telemetry {
		return h
	}
	return otelhttp.NewHandler(h, "server",
		otelhttp.WithTracerProvider(p.Tracers), otelhttp.WithMeterProvider(p.Meters), otelhttp.WithPropagators(p.Propagator))
}

func echo(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(RequestID, middleware.GetReqID(r.Context()))
		next.ServeHTTP(w, r)
	})
}

// accessLog has the line of each request written.
func accessLog(write lineWriter) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start, c := time.Now(), &caller{id: middleware.GetReqID(r.Context())}
			r = r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
			ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			next.ServeHTTP(ww, r)
			status := cmp.Or(ww.Status(), http.StatusOK) // 0 if the handler wrote nothing
			write(r, c, chi.RouteContext(r.Context()).RoutePattern(), status, int64(ww.BytesWritten()), time.Since(start))
		})
	}
}

// chiLine writes what an access log usually has.
func (p *Parts) chiLine(r *http.Request, c *caller, pattern string, status int, sent int64, took time.Duration) {
	p.write(r.Context(), levelOf(status), slog.String("method", r.Method), slog.String("route", pattern),
		slog.Int("status", status), slog.Duration("duration", took), slog.Int64("bytes", sent),
		slog.String("peer", r.RemoteAddr), slog.String("request_id", c.id), slog.String("principal", c.subject))
}

// bearer authenticates the caller.
func (p *Parts) bearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		subject, ok := p.Tokens[token]
		if !ok || !strings.EqualFold(scheme, "bearer") {
			http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
			return
		}
		if c, ok := r.Context().Value(callerKey{}).(*caller); ok {
			c.subject = subject
		}
		next.ServeHTTP(w, r)
	})
}

// throttle asks the bucket.
func (p *Parts) throttle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.Limiter.Allow() {
			http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}
