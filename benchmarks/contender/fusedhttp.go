package contender

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/requestid"
)

// fusedHTTP is the limit for net/http: everything of W5 in one handler.
func fusedHTTP(p *Parts, pattern string, h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(pattern, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &fusedCall{ResponseWriter: w, start: time.Now()}
		if c.id = r.Header.Get(RequestID); !requestid.Valid(c.id) {
			c.id = rand.Text()
		}
		defer p.finish(c, r)
		w.Header()[RequestID] = []string{c.id}
		if err := p.admit(&c.caller, r.Header.Get("Authorization")); err != nil {
			c.fail(statusOf(err))
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), callerKey{}, &c.caller))
		c.served = r
		mux.ServeHTTP(c, r)
	})
}

// fusedCall counts what is written and keeps what the log needs.
type fusedCall struct {
	http.ResponseWriter
	caller
	start  time.Time
	served *http.Request // as the mux got it, which sets the pattern
	status int
	bytes  int64
}

// WriteHeader keeps the status.
func (c *fusedCall) WriteHeader(code int) {
	if c.status == 0 {
		c.status = code
	}
	c.ResponseWriter.WriteHeader(code)
}

// Write counts the bytes.
func (c *fusedCall) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

func (c *fusedCall) fail(status int) { http.Error(c, http.StatusText(status), status) }

// Unwrap is for http.ResponseController.
func (c *fusedCall) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// finish recovers from a panic and writes the line.
func (p *Parts) finish(c *fusedCall, r *http.Request) {
	if recover() != nil && c.status == 0 {
		c.fail(http.StatusInternalServerError)
	}
	pattern := ""
	if c.served != nil {
		pattern = c.served.Pattern
	}
	p.writeRequest(r, &c.caller, pattern, cmp.Or(c.status, http.StatusOK), c.bytes, time.Since(c.start))
}

// writeRequest writes the line that this library's logging writes for a plain request.
func (p *Parts) writeRequest(r *http.Request, c *caller, pattern string, status int, sent int64, took time.Duration) {
	p.write(r.Context(), levelOf(status),
		slog.String("method", pattern), slog.String("transport", "http"), slog.String("route", pattern), slog.String("http_method", r.Method),
		slog.String("code", codeOf(status).String()), slog.Int("http_status", status), slog.Duration("duration", took),
		slog.Int64("received_bytes", 0), slog.Int64("sent_bytes", sent),
		slog.String("peer", r.RemoteAddr), slog.String("request_id", c.id), slog.String("principal", c.subject))
}

// levelOf is the level of the line of a status.
func levelOf(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// statusOf is the HTTP status of what the work refuses with.
func statusOf(err error) int {
	if status.Code(err) == codes.ResourceExhausted {
		return http.StatusTooManyRequests
	}
	return http.StatusUnauthorized
}

// codeOf is the code of a status that the work can end with.
func codeOf(httpStatus int) codes.Code {
	switch {
	case httpStatus < http.StatusBadRequest:
		return codes.OK
	case httpStatus == http.StatusUnauthorized:
		return codes.Unauthenticated
	case httpStatus == http.StatusTooManyRequests:
		return codes.ResourceExhausted
	}
	return codes.Internal
}
