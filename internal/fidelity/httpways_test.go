package fidelity_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// handlerFor makes the handler of one conversation.
type handlerFor func(c *conversation) http.Handler

// handles is a handlerFor from a function.
func handles(f func(c *conversation, w http.ResponseWriter, r *http.Request)) handlerFor {
	return func(c *conversation) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(c, w, r) })
	}
}

// httpWays are the places of a stack around plain handlers.
var httpWays = []way[handlerFor]{
	httpWay("Wrap", asIs, wrap),
	once(httpWay("Wrap of a ServeMux", serveMux, func(s *interceptor.Stack, h http.Handler) http.Handler { return wrap(s, serveMux(h)) })),
	httpWay("Mux", serveMux, mux),
	once(httpWay("Mux in Wrap", serveMux, func(s *interceptor.Stack, h http.Handler) http.Handler { return wrap(s, mux(s, wrap(s, h))) })),
	once(httpWay("Wrap in another stack", asIs, func(s *interceptor.Stack, h http.Handler) http.Handler {
		return wrap(quiet(interceptor.MustNew(idle{})), wrap(s, h))
	})),
	once(httpWay("Wrap in a TimeoutHandler", withTimeout, func(s *interceptor.Stack, h http.Handler) http.Handler { return withTimeout(wrap(s, h)) })),
}

func once[S any](w way[S]) way[S] {
	w.once = true
	return w
}

func asIs(h http.Handler) http.Handler { return h }

func serveMux(h http.Handler) http.Handler {
	m := http.NewServeMux()
	m.Handle("/", h)
	m.Handle("GET /items/{id}", h)
	return m
}

// withTimeout is a TimeoutHandler that also waits for its handler, which otherwise
// may take notes when the conversation is over.
func withTimeout(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done := make(chan struct{})
		defer func() { <-done }()
		http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(done)
			h.ServeHTTP(w, r)
		}), patience, "").ServeHTTP(w, r)
	})
}

func wrap(s *interceptor.Stack, h http.Handler) http.Handler { return httpadapter.Wrap(s, h) }

func mux(s *interceptor.Stack, h http.Handler) http.Handler {
	m := httpadapter.NewMux(s)
	m.Handle("/", h)
	m.Handle("GET /items/{id}", h)
	return m
}

// httpWay makes a way from what both sides do with the handler.
func httpWay(name string, bare func(http.Handler) http.Handler, wrapped func(*interceptor.Stack, http.Handler) http.Handler) way[handlerFor] {
	return way[handlerFor]{
		name: name,
		bare: func(c *conversation, f handlerFor) *site { return serveHTTP(c, bare(f(c))) },
		wrapped: func(c *conversation, f handlerFor, in *interceptor.Stack) *site {
			return serveHTTP(c, wrapped(in, f(c)))
		},
	}
}

// serveHTTP serves h over HTTP/1.1 and, with prior knowledge, HTTP/2.
func serveHTTP(c *conversation, h http.Handler) *site {
	c.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	var running sync.WaitGroup
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		h.ServeHTTP(w, r)
	})
	srv := &http.Server{Handler: counted, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: patience, MaxHeaderBytes: 64 << 10, Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = srv.Serve(lis) }()
	c.Cleanup(func() { _ = srv.Close() })
	return &site{addr: lis.Addr().String(), shutdown: func() { _ = srv.Shutdown(context.Background()) }, stop: func() {
		c.hangUp()
		_ = srv.Close()
		running.Wait()
	}}
}
