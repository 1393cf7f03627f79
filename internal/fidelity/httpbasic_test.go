package fidelity_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// simple is one request that is sent over every version of HTTP.
type simple struct {
	name    string
	method  string // GET
	target  string // /
	fields  []string
	body    string
	only1   bool // with HTTP/2 it is chance what becomes of a body nobody reads
	handler func(c *conversation, w http.ResponseWriter, r *http.Request)
}

// over returns the conversations of a simple request: HTTP/1.1 and 1.0 as bytes,
// HTTP/2 as frames.
func (s simple) over() []scenario[handlerFor] {
	if s.method == "" {
		s.method = http.MethodGet
	}
	if s.target == "" {
		s.target = "/"
	}
	raw := request(s.method, s.target, s.fields...)
	if s.body != "" {
		raw = request(s.method, s.target, append(s.fields, fmt.Sprintf("Content-Length: %d", len(s.body)))...) + s.body
	}
	subject := handles(s.handler)
	all := []scenario[handlerFor]{
		{s.name + " over HTTP 1.1", subject, func(c *conversation, at *site) {
			h := dialH1(c, at)
			h.send(raw)
			h.answer(s.method)
			h.probe()
		}},
		{s.name + " over HTTP 1.0", subject, func(c *conversation, at *site) {
			h := dialH1(c, at)
			h.send(strings.Replace(raw, "HTTP/1.1", "HTTP/1.0", 1))
			h.answer(s.method)
			h.probe()
		}},
		{s.name + " over HTTP 2", subject, func(c *conversation, at *site) {
			h := dialH2(c, at)
			h.eager = true
			fields := get(s.method, s.target)
			for _, f := range s.fields {
				name, value, _ := strings.Cut(f, ": ")
				fields = append(fields, strings.ToLower(name)+": "+value)
			}
			id := h.open(s.body == "", fields...)
			if s.body != "" {
				h.send(id, true, []byte(s.body))
			}
			h.await(id)
			h.probe()
		}},
	}
	if s.only1 {
		return all[:2]
	}
	return all
}

// httpScenarios are all conversations with plain handlers.
func httpScenarios() []scenario[handlerFor] {
	var all []scenario[handlerFor]
	for _, table := range [][]simple{bodies, statuses, trailers, files, requests, panics} {
		for _, s := range table {
			all = append(all, s.over()...)
		}
	}
	return slices.Concat(all, rawH1, rawH2)
}

// write notes what Write returned.
func write(c *conversation, w io.Writer, text string) {
	n, err := io.WriteString(w, text)
	c.note("wrote %d of %d: %v", n, len(text), named(err))
}

// named prints an error with its type, and those of net/http by identity.
func named(err error) string {
	for _, known := range []error{http.ErrBodyNotAllowed, http.ErrContentLength, http.ErrHijacked, http.ErrNotSupported, http.ErrHandlerTimeout, http.ErrBodyReadAfterClose} {
		if errors.Is(err, known) {
			return fmt.Sprintf("%v (same %t)", err, err == known) //nolint:errorlint // the very same error is asked for
		}
	}
	return fmt.Sprintf("%T %v", err, err)
}

// bodies are about how the length of a response is told.
var bodies = []simple{
	{name: "a handler that writes nothing", handler: func(*conversation, http.ResponseWriter, *http.Request) {}},
	{name: "HEAD of a handler that writes nothing", method: "HEAD", handler: func(*conversation, http.ResponseWriter, *http.Request) {}},
	{name: "header fields and no body", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Own", "1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Add("Set-Cookie", "a=1")
	}},
	{name: "a short body", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) { write(c, w, "hello") }},
	{name: "HEAD of a short body", method: "HEAD", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) { write(c, w, "hello") }},
	{name: "a body in pieces", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		for _, text := range []string{"one", "", "two", strings.Repeat("3", 5000), "four"} {
			write(c, w, text)
		}
	}},
	{name: "HEAD of a body in pieces", method: "HEAD", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		for range 3 { // over HTTP/2 it is chance which of them still succeed
			_, _ = io.WriteString(w, strings.Repeat("x", 2000))
		}
	}},
	{name: "a long body", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, strings.Repeat("long", 1<<16))
	}},
	{name: "only an empty write", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) { write(c, w, "") }},
	{name: "a declared length", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4")
		write(c, w, "four")
	}},
	{name: "HEAD of a declared length", method: "HEAD", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "12345")
		w.WriteHeader(200)
	}},
	{name: "HEAD with a length and no status", method: "HEAD", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "12345")
	}},
	{name: "less than the declared length", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		write(c, w, "four")
	}},
	{name: "more than the declared length", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4")
		write(c, w, "four")
		write(c, w, "more")
	}},
	{name: "a length that is no number", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "many")
		write(c, w, "text")
	}},
	{name: "a type to be guessed", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "<!DOCTYPE html><p>")
	}},
	{name: "no type and no date", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		w.Header()["Date"] = nil
		write(c, w, "text")
	}},
	{name: "a transfer coding of the handler's", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Transfer-Encoding", "identity")
		write(c, w, "text")
	}},
	{name: "a content coding and a type to be guessed", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		write(c, w, "\x1f\x8b no gzip")
	}},
	{name: "header fields that no server may send", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Line"] = []string{"a\r\nX-Forged: b"}
		w.Header()["bad name"] = []string{"v"}
		w.Header()["x-lower"] = []string{"kept as it is"}
		w.Header().Set("Connection", "upgrade")
		w.Header().Set("Keep-Alive", "timeout=1")
		write(c, w, "text")
	}},
	{name: "a handler that closes the connection", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		write(c, w, "bye")
	}},
	{name: "a client that closes the connection", fields: []string{"Connection: close"}, handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "bye")
	}},
	{name: "a client that keeps the connection", fields: []string{"Connection: keep-alive"}, handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "hello again")
	}},
	{name: "a flush before anything", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		c.note("flush: %v", http.NewResponseController(w).Flush())
		write(c, w, "after")
	}},
	{name: "a flush and nothing", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		c.note("flush: %v", http.NewResponseController(w).Flush())
	}},
	{name: "a flush between", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "before")
		c.note("flush: %v", http.NewResponseController(w).Flush())
		write(c, w, "after")
	}},
	{name: "server-sent events", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "id: %d\ndata: event\n\n", i)
			f, ok := w.(http.Flusher)
			if c.note("flusher %t", ok); ok {
				f.Flush()
			}
		}
	}},
}

// statuses are about which status a response has, and what may come with it.
var statuses = []simple{
	{name: "201 with a body", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/new")
		w.WriteHeader(201)
		write(c, w, "made")
	}},
	{name: "204", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
	{name: "204 with a body", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
		write(c, w, "no")
	}},
	{name: "204 with a length", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(204)
	}},
	{name: "205", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(205) }},
	{name: "304", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Etag", `"1"`)
		w.Header().Set("Content-Length", "10")
		w.WriteHeader(304)
	}},
	{name: "304 with a body", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(304)
		write(c, w, "no")
	}},
	{name: "a redirect", handler: func(_ *conversation, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", 302) }},
	{name: "404 of the handler", handler: func(_ *conversation, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }},
	{name: "401 with a challenge of the handler", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		http.Error(w, "who", 401)
	}},
	{name: "401 without a challenge", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }},
	{name: "413 of the handler", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Own", "1")
		http.Error(w, "large", 413)
	}},
	{name: "500 of the handler with its own fields", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.own+json")
		w.Header().Set("Etag", `"e"`)
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(500)
		write(c, w, `{"own":true}`)
	}},
	{name: "500 without a body", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }},
	{name: "a status of the handler's own", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(799); write(c, w, "x") }},
	{name: "two statuses", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(202)
		w.WriteHeader(500)
		write(c, w, "accepted")
	}},
	{name: "a flush before an error status", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		w.WriteHeader(500)
		write(c, w, "too late")
	}},
	{name: "a header field after the status", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		w.Header().Set("X-Late", "1")
		write(c, w, "text")
	}},
	{name: "early hints", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.Header().Set("X-Own", "1")
		w.WriteHeader(200)
		write(c, w, "page")
	}},
	{name: "early hints twice and an implicit status", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.Header().Add("Link", "</b.css>")
		w.WriteHeader(103)
		write(c, w, "page")
	}},
	{name: "processing and nothing else", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(102) }},
	{name: "early hints and an error", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(103)
		http.Error(w, "no", 403)
	}},
}
