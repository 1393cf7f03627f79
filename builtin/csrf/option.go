package csrf

import (
	"fmt"
	"net/http"

	"github.com/crosscut-go/crosscut/internal/weborigin"
)

// Option changes what [New] does.
type Option interface{ apply(*settings) }

type option func(*settings)

func (f option) apply(s *settings) { f(s) }

type settings struct {
	protection *http.CrossOriginProtection
	types      []string
}

// TrustOrigins lets pages of these origins make calls in their visitors' names:
// one's own front ends on other origins. They are written as browsers send them,
// scheme://host[:port] in lower case, without a path and without the scheme's
// usual port. It panics for anything else, "null" and wildcards included, saying
// what to write. By default only the service's own origin is trusted; repeating it
// adds more. Pages also need package cors to read the answers.
func TrustOrigins(origins ...string) Option {
	for _, o := range origins {
		if err := weborigin.Check(o); err != nil {
			panic(fmt.Sprintf("csrf.TrustOrigins(%q): %v", o, err))
		}
	}
	return option(func(s *settings) {
		for _, o := range origins {
			if err := s.protection.AddTrustedOrigin(o); err != nil {
				panic(fmt.Sprintf("csrf.TrustOrigins(%q): %v", o, err))
			}
		}
	})
}

// ContentTypes adds media types, such as application/x-protobuf, to those that
// bodies of RPCs may have when browsers vouch for the call. The default is JSON
// alone. Repeating it adds more; it has no effect on plain handlers. It panics for
// what is not a media type without parameters, and for the three that any page may
// send: text/plain, multipart/form-data and application/x-www-form-urlencoded.
func ContentTypes(types ...string) Option {
	for _, t := range types {
		switch t {
		case "text/plain", "multipart/form-data", "application/x-www-form-urlencoded":
			panic(fmt.Sprintf("csrf.ContentTypes(%q): every page on the web may send that type without asking; send JSON instead", t))
		}
		if t == "" || t != mediaType(t) {
			panic(fmt.Sprintf("csrf.ContentTypes(%q): write a media type in lower case and without parameters, such as application/x-protobuf", t))
		}
	}
	return option(func(s *settings) { s.types = append(s.types, types...) })
}
