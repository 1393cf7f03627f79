package httpadapter

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// StripPrefix returns a handler that serves requests by removing prefix from the
// URL's path and calling h, as http.StripPrefix does; a path without the prefix is
// answered 404. The difference is that layers of a stack can see h: a gateway, a
// [Mux] or a gRPC server behind this StripPrefix is the same call as the mux
// around it.
//
// StripPrefix panics on a nil handler. An empty prefix returns h.
func StripPrefix(prefix string, h http.Handler) http.Handler {
	if h == nil {
		panic("httpadapter: StripPrefix(" + prefix + ", nil): pass the handler to serve below the prefix")
	}
	if prefix == "" {
		return h
	}
	return &stripped{prefix: prefix, handler: h}
}

type stripped struct {
	prefix  string
	handler http.Handler
}

var (
	_ httpwire.Resolver = (*stripped)(nil)
	_ httpwire.Inner    = (*stripped)(nil)
)

// ServeHTTP calls the handler with the shorter path.
func (s *stripped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	short := s.strip(r)
	if short == nil {
		http.NotFound(w, r)
		return
	}
	defer func() {
		if r.MultipartForm == nil {
			r.MultipartForm = short.MultipartForm // net/http cleans up after r alone
		}
	}()
	s.handler.ServeHTTP(w, short)
}

// strip returns a copy of r without the prefix, or nil if r does not have it.
func (s *stripped) strip(r *http.Request) *http.Request {
	path := strings.TrimPrefix(r.URL.Path, s.prefix)
	raw := strings.TrimPrefix(r.URL.RawPath, s.prefix)
	if len(path) == len(r.URL.Path) || r.URL.RawPath != "" && len(raw) == len(r.URL.RawPath) {
		return nil
	}
	u := new(url.URL)
	*u = *r.URL
	u.Path, u.RawPath = path, raw
	short := r.WithContext(r.Context()) // a shallow copy
	short.URL = u
	return short
}

// ResolvesFor tells whether the handler inside does.
func (s *stripped) ResolvesFor(stack any) bool {
	layer, ok := s.handler.(httpwire.Resolver)
	return ok && layer.ResolvesFor(stack)
}

// Inner returns the handler inside and the request it gets.
func (s *stripped) Inner(r *http.Request) (http.Handler, *http.Request) {
	short := s.strip(r)
	if short == nil {
		return nil, r
	}
	return s.handler, short
}

// Check passes on what the layer inside has to report.
func (s *stripped) Check() error { return check(s.handler) }

// Routes passes on the routes of the layer inside.
func (s *stripped) Routes() []*interceptor.Method { return routesOf(s.handler) }
