package cors

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	rscors "github.com/rs/cors"

	"github.com/crosscut-go/crosscut/internal/weborigin"
)

// Option changes what [New] does.
type Option interface{ apply(*settings) }

type option func(*settings)

func (f option) apply(s *settings) { f(s) }

type settings struct {
	origins     map[string]bool
	any         bool
	credentials bool
	methods     []string
	headers     []string
	exposed     []string
	maxAge      int // as rs/cors counts: 0 for the browser's default, -1 for none
}

// Origins lists the origins whose pages may read answers, exactly as browsers send
// them: scheme://host[:port], in lower case, without a path or slash at the end,
// and without the scheme's usual port. It panics for anything else, "null" and
// wildcards included, saying what to write. Repeating it adds more.
func Origins(origins ...string) Option {
	for _, o := range origins {
		if o == "*" {
			panic(`cors.Origins("*"): use cors.AnyOrigin() if the answers are public, else list the origins one by one`)
		}
		if err := weborigin.Check(o); err != nil {
			panic(fmt.Sprintf("cors.Origins(%q): %v", o, err))
		}
	}
	return option(func(s *settings) {
		for _, o := range origins {
			s.origins[o] = true
		}
	})
}

// AnyOrigin lets every page on the web read answers. It is for data that is
// public anyway, and cannot be combined with [Origins] or [Credentials]. Never use
// it for a service that is protected by the network it runs in: pages run inside
// of it, in your users' browsers.
func AnyOrigin() Option { return option(func(s *settings) { s.any = true }) }

// Credentials lets pages of the listed origins send cookies and read the answers.
// By default they may not. It has no effect on tokens that a page puts into
// Authorization itself; for these list that header with [Headers]. Repeating it
// changes nothing.
func Credentials() Option { return option(func(s *settings) { s.credentials = true }) }

// Methods lists the HTTP methods that pages may use, in place of the default: GET,
// HEAD and POST. Names are case-sensitive (RFC 9110 section 9.1) and in upper
// case. It panics for other names, and for those that browsers never send.
// Repeating it adds more.
func Methods(methods ...string) Option {
	for _, m := range methods {
		switch {
		case m == "*" || !token(m) || m != strings.ToUpper(m):
			panic(fmt.Sprintf("cors.Methods(%q): write methods one by one and in upper case, such as PUT; there is no wildcard", m))
		case m == http.MethodConnect || m == http.MethodTrace || m == "TRACK":
			panic(fmt.Sprintf("cors.Methods(%q): browsers never send it for a page; leave it out", m))
		}
	}
	return option(func(s *settings) { s.methods = append(s.methods, methods...) })
}

// Headers lists the request headers that pages may set, such as Authorization,
// besides Content-Type, which JSON needs. It panics for what is no header name and
// for "*", which with credentials means a header of that name. Repeating it adds
// more.
func Headers(names ...string) Option {
	checkNames("Headers", names)
	return option(func(s *settings) { s.headers = append(s.headers, names...) })
}

// ExposedHeaders lists the response headers that pages may read besides the
// content type and a few others of the Fetch standard. The default is none. It
// panics for what is no header name and for "*". Repeating it adds more.
func ExposedHeaders(names ...string) Option {
	checkNames("ExposedHeaders", names)
	return option(func(s *settings) { s.exposed = append(s.exposed, names...) })
}

// MaxAge lets browsers remember the answer to a preflight for d, in whole seconds,
// at most a day; 0 lets them not remember it at all. The default is the browser's,
// 5 seconds by the Fetch standard. A change of the allowed methods and headers
// takes that long to arrive. The last one given counts.
func MaxAge(d time.Duration) Option {
	if d < 0 || d > 24*time.Hour || d%time.Second != 0 {
		panic(fmt.Sprintf("cors.MaxAge(%v): use whole seconds from 0 to 24 hours; no browser remembers longer", d))
	}
	seconds := int(d / time.Second)
	if seconds == 0 {
		seconds = -1
	}
	return option(func(s *settings) { s.maxAge = seconds })
}

func checkNames(function string, names []string) {
	for _, n := range names {
		if n == "*" || !token(n) {
			panic(fmt.Sprintf("cors.%s(%q): write header names one by one, such as Authorization; there is no wildcard", function, n))
		}
	}
}

// token tells whether s is a token of RFC 9110 section 5.6.2.
func token(s string) bool {
	for i := range len(s) {
		b := s[i]
		letter := 'a' <= b|0x20 && b|0x20 <= 'z'
		if !letter && (b < '0' || b > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return false
		}
	}
	return s != ""
}

// check panics for options that cannot work together.
func (s *settings) check() {
	switch {
	case !s.any && len(s.origins) == 0:
		panic(`cors.New: no origin may read answers; list some with cors.Origins("https://app.example.com"), or leave the hook out`)
	case s.any && len(s.origins) > 0:
		panic("cors.New: AnyOrigin makes Origins pointless; keep the one that is meant")
	case s.any && s.credentials:
		panic("cors.New: AnyOrigin with Credentials would let every page on the web act as its visitor; list the origins with cors.Origins")
	}
}

// options are the settings as rs/cors takes them.
func (s *settings) options() rscors.Options {
	o := rscors.Options{
		AllowedMethods:   slices.Clone(s.methods),
		AllowedHeaders:   slices.Clone(s.headers),
		ExposedHeaders:   slices.Clone(s.exposed),
		AllowCredentials: s.credentials,
		MaxAge:           s.maxAge,
		// The hook asks for allowed origins only, and without this it would be
		// compared regardless of case.
		AllowOriginFunc: func(string) bool { return true },
	}
	if s.any {
		o.AllowOriginFunc, o.AllowedOrigins = nil, []string{"*"}
	}
	if len(o.AllowedMethods) == 0 {
		o.AllowedMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost}
	}
	o.AllowedHeaders = append(o.AllowedHeaders[:len(o.AllowedHeaders):len(o.AllowedHeaders)], "Content-Type")
	return o
}
