package gateway

import "net/http"

const challengeKey = "Www-Authenticate"

// challengeWriter keeps the WWW-Authenticate of hooks. The gateway's default
// error handler replaces it with the message of an UNAUTHENTICATED status, which
// is no challenge (RFC 9110 section 11.6.1).
type challengeWriter struct {
	inner     http.ResponseWriter
	challenge []string
}

func (w *challengeWriter) Header() http.Header         { return w.inner.Header() }
func (w *challengeWriter) Write(p []byte) (int, error) { return w.inner.Write(p) }

func (w *challengeWriter) WriteHeader(status int) {
	w.inner.Header()[challengeKey] = w.challenge
	w.inner.WriteHeader(status)
}

// Unwrap is for http.ResponseController: the writer's other abilities are those
// of what it wraps.
func (w *challengeWriter) Unwrap() http.ResponseWriter { return w.inner }
